"""Networks on disk: a folder each, with all that prediction needs.

`config.json` (builder and its arguments, layout, decoder, calibration, licence, data,
paper, numbers), `model.weights.h5`, `training_log.csv` and `README.md`, the model card.
A joint model of two shipped presets has no weights of its own: `weights_from` names
theirs. A network that no builder of ours made is a `graph`, as Keras serialises it.
Where the preset was exported for them, `model.onnx` and `model.tflite` are the network
with its decoder for the runtimes other than Keras (`rcn_keras.runtime`). Keras is
imported where a network is built, and not to read a configuration.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import warnings
from typing import TYPE_CHECKING, Any

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_text, replaced
from rcn_keras.layout import KeypointLayout, chosen_layout

if TYPE_CHECKING:
    import keras

    from rcn_keras.models import KeypointModel

SHIPPED = pathlib.Path(__file__).parent
CONFIG, WEIGHTS, LOG = "config.json", "model.weights.h5", "training_log.csv"
# What `export_model` writes into a preset's own folder, by format.
EXPORTS = {
    "onnx": "model.onnx",
    "onnx_int8": "model_int8.onnx",
    "litert": "model.tflite",
}


@dataclasses.dataclass(frozen=True)
class Preset:
    """A network with what it takes to use it.

    Attributes:
        name: str.
        model: `KeypointModel`, images to pre-softmax maps; of a joint model the
            `JointModel`, of a denoiser one-hot maps to pre-softmax maps.
        config: dict as in `config.json`.
        shipped: bool, whether it comes with the package.
    """

    name: str
    model: KeypointModel
    config: dict
    shipped: bool = False


def list_presets() -> list[str]:
    """Names of the presets that come with the package, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def from_preset(name: PathLike, load_weights: bool = True) -> KeypointModel:
    """The network of a preset: `KeypointModel`, see `Preset.model`.

    Args:
        name: str, a name of `list_presets()`, the path of a preset's folder, or
            `hf://organisation/model` (needs `pip install huggingface_hub`).
        load_weights: bool; `False` for the network as its builder initialises it.

    Raises:
        InputError: if there is no such preset or its files are damaged.
    """
    return load_preset(name, load_weights).model


def load_preset(name: PathLike, with_weights: bool = True) -> Preset:
    """A preset with its configuration; arguments and errors as `from_preset`."""
    folder = preset_folder(str(name))
    config = read_config(folder)
    try:
        model = _built(config)
    except (KeyError, TypeError, ValueError) as error:
        # It may be the file's fault or Keras's: who asks sees where it arose.
        raise InputError(
            f"{folder / CONFIG}: cannot build the network that this describes "
            f"({type(error).__name__}: {error})"
        ) from error
    if with_weights and "weights_from" in config:
        for part, other in config["weights_from"].items():
            load_weights(getattr(model, part), SHIPPED / other / WEIGHTS)
    elif with_weights:
        load_weights(model, folder / WEIGHTS)
    return Preset(folder.name, model, config, folder.parent == SHIPPED)


def _built(config):
    import keras

    from rcn_keras.models import BUILDERS

    if config["model"] == "graph":
        return keras.saving.deserialize_keras_object(config["graph"])
    layout = config.get("layout")  # older ones have only the number of keypoints
    if layout is not None:
        layout = KeypointLayout.from_dict(layout)
    kind = config["model"]
    model = BUILDERS[kind](**config["arguments"], layout=layout, name=kind)
    model.set_decoder(
        config["decoder"], config["calibration"], config.get("face_calibration")
    )
    return model


def load_weights(model: keras.Model, path: pathlib.Path) -> None:
    """Loads weights; a missing, damaged or foreign file gives one clear line."""
    if not path.is_file():
        raise InputError(f"{path}: no such file (the weights of the preset)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Keras warns of, it raises too
            model.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "?"
        reason = reason.split(" Example error")[0]
        raise InputError(
            f"{path}: damaged, or not the weights of this network ({reason})"
        ) from None


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """The configuration of a preset's folder."""
    path = folder / CONFIG
    text = read_text(path)
    try:
        config = json.loads(text)
        if not isinstance(config, dict):
            raise ValueError(f"found a {type(config).__name__}")
    except ValueError as error:
        raise InputError(f"{path}: not a preset's configuration ({error})") from None
    return config


def read_layout(folder: pathlib.Path) -> KeypointLayout:
    """The layout of a preset's folder; errors as `from_preset`."""
    config = read_config(folder)
    try:
        if config.get("layout") is not None:
            return KeypointLayout.from_dict(config["layout"])
        arguments = config["arguments"]  # older ones have only the number of keypoints
        return chosen_layout(arguments.get("rcn", arguments).get("keypoints", 5), None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / CONFIG}: does not describe a network ({error})"
        ) from None


def save_preset(folder: PathLike, model: KeypointModel, config: dict[str, Any]) -> None:
    """Writes a preset's configuration and weights; its exports, of other weights, go.

    Args:
        folder: path, made if missing.
        model: `KeypointModel` built by `config["model"]` with `config["arguments"]`.
        config: dict, see `rcn_keras/presets/rcn6_mtfl/config.json`.
    """
    folder = pathlib.Path(folder)
    check_free(folder, config["model"])
    if "weights_from" not in config:
        # A model that was never compiled: no optimiser state in the file.
        bare = _built(config)
        bare.set_weights(model.get_weights())
        with replaced(folder / WEIGHTS) as temporary:
            bare.save_weights(temporary)
    with replaced(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for file in EXPORTS.values():
        (folder / file).unlink(missing_ok=True)


def save_to_preset(folder: PathLike, model: KeypointModel) -> None:
    """Writes any `KeypointModel` as a preset: its graph, layout, decoder, calibration.

    Args:
        folder: path, made if missing.
        model: `KeypointModel`.

    Raises:
        InputError: if the folder holds a preset of another kind or cannot be written.
    """
    import keras

    graph = keras.saving.serialize_keras_object(model)
    for key in ("build_config", "compile_config"):
        graph.pop(key, None)
    config = {"model": "graph", "graph": graph, "layout": model.layout.to_dict()}
    config |= model.decoder_config()
    save_preset(folder, model, config)


def check_free(folder: PathLike, kind: str) -> None:
    """Whether a preset of this kind may be written to a folder.

    Raises:
        InputError: if it holds one of another kind, or cannot be written to, or there
            are no presets of this kind.
    """
    folder = pathlib.Path(folder)
    if kind == "tcdcn":
        raise InputError(
            "a TCDCN becomes no preset: it regresses keypoints, and a preset's network "
            "has maps, from which come decoder and confidence"
        )
    if (folder / CONFIG).is_file():
        other = read_config(folder).get("model")
        if other != kind:
            raise InputError(f"{folder}: holds another preset ({other}), not a {kind}")
    check_writable(folder)


def preset_folder(name: str) -> pathlib.Path:
    """The folder of a preset; argument and errors as `from_preset`."""
    if name.startswith("hf://"):
        try:
            import huggingface_hub
        except ImportError:
            raise ImportError(
                f"{name} needs a package that is missing: pip install huggingface_hub"
            ) from None
        return pathlib.Path(huggingface_hub.snapshot_download(name[len("hf://") :]))
    if name in list_presets():
        return SHIPPED / name
    if (pathlib.Path(name) / CONFIG).is_file():
        return pathlib.Path(name)
    raise InputError(
        f"no preset named {name!r}, nor a folder with a {CONFIG}; shipped are: "
        f"{', '.join(list_presets())}"
    )
