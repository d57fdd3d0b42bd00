"""A network with all that it takes to read keypoints off what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rcn_keras import codec
from rcn_keras._serialization import register
from rcn_keras._types import PathLike, Tensor
from rcn_keras.layers import KeypointDecoder
from rcn_keras.layout import KeypointLayout, chosen_layout


@register
class KeypointModel(keras.Model):
    """A functional model of keypoint maps that knows its layout and its decoder.

    `model(images)` gives pre-softmax maps, which losses and metrics take;
    `model.locate(images)` gives keypoints, their confidence and a face score. A
    `.keras` file holds layout, decoder and calibration beside the graph, so that it
    predicts as the model that was saved.

    Args:
        inputs: symbolic tensor, `(N, H, W, channels)` images (for a denoiser what it
            takes in place of them).
        outputs: symbolic tensor, `(N, H, W, K)` pre-softmax maps.
        layout: `KeypointLayout` of K keypoints, or a dict of its `to_dict`.
        decoder: one of `codec.DECODERS`.
        calibration: `(slope, offset)` of the confidence (`codec.confidence`).
        face_calibration: `(slope, offset)` of the face score (`codec.face_score`), or
            `None`: it is NaN then.
        name: str, name of the model.

    Raises:
        ValueError: if layout, decoder or a calibration do not fit.

    Example:
        >>> model = rcn_keras.build_rcn(branches=6)
        >>> model(images).shape, model.locate(images)["keypoints"].shape
        ((1, 80, 80, 5), (1, 5, 2))
    """

    def __init__(
        self,
        inputs: Tensor,
        outputs: Tensor,
        layout: KeypointLayout | dict,
        decoder: str = "local_mean",
        calibration: Sequence[float] = (1.0, 0.0),
        face_calibration: Sequence[float] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        if isinstance(layout, dict):  # out of a configuration
            layout = KeypointLayout.from_dict(layout)
        if self._output_keypoints() != layout.count:
            raise ValueError(
                f"`outputs` must be of the {layout.count} keypoints of the layout "
                f"{layout.name!r}. Received: {self._output_keypoints()}"
            )
        self.layout = layout
        self.set_decoder(decoder, calibration, face_calibration)

    def _output_keypoints(self):
        return self.output_shape[-1]

    @property
    def input_size(self) -> int:
        """S, the side of the images and of the maps in pixels."""
        return self.output_shape[1]

    def set_decoder(
        self,
        decoder: str,
        calibration: Sequence[float] = (1.0, 0.0),
        face_calibration: Sequence[float] | None = None,
    ) -> None:
        """Sets how keypoints, confidence and face score are read off the maps.

        Args:
            decoder: one of `codec.DECODERS`.
            calibration: `(slope, offset)` of the confidence (`codec.confidence`).
            face_calibration: `(slope, offset)` of the face score (`codec.face_score`),
                or `None`.

        Raises:
            ValueError: if `decoder` is none of them, or a calibration not two numbers.
        """
        if decoder not in codec.DECODERS:
            raise ValueError(
                f"`decoder` must be one of {codec.DECODERS}. "
                f"Received: decoder={decoder!r}"
            )
        lines = {"calibration": calibration}
        if face_calibration is not None:
            lines["face_calibration"] = face_calibration
        for argument, line in lines.items():
            numbers = [x for x in line if isinstance(x, (int, float))]
            if len(line) != 2 or len(numbers) != 2:
                raise ValueError(
                    f"`{argument}` must be two numbers, slope and offset. "
                    f"Received: {argument}={line!r}"
                )
        self.decoder = decoder
        self.calibration = tuple(calibration)
        self.face_calibration = face_calibration and tuple(face_calibration)

    def decode(self, maps: Tensor, decoder: str | None = None) -> dict:
        """Keypoints, their confidence and a face score from the model's output.

        Args:
            maps: what the model gives, arrays or symbolic tensors.
            decoder: one of `codec.DECODERS`; `None` for the model's own.

        Returns:
            dict of `keypoints` `(N, K, 2)`, (x, y) in pixels of the input,
            `confidence` `(N, K)` and `face_score` `(N,)`.
        """
        slope, offset = self.calibration
        return KeypointDecoder(
            self.layout,
            decoder or self.decoder,
            slope,
            offset,
            self.face_calibration,
        )(maps)

    def locate(self, images: Tensor) -> dict:
        """Keypoints, their confidence and a face score, for one batch of images.

        Args:
            images: `(N, H, W, channels)`, as the model takes them.

        Returns:
            dict of `keypoints` `(N, K, 2)`, (x, y) in pixels of the images,
            `confidence` `(N, K)` and `face_score` `(N,)`.
        """
        return self.decode(self(images, training=False))

    @classmethod
    def from_preset(cls, name: str, load_weights: bool = True) -> KeypointModel:
        """The network of a preset.

        Args:
            name: str, one of `rcn_keras.list_presets()`, the path of a preset's folder,
                or `hf://organisation/model` (needs `pip install huggingface_hub`).
            load_weights: bool; `False` for the network as its builder initialises it.

        Raises:
            InputError: if there is no such preset or its files are damaged.
        """
        from rcn_keras.presets import from_preset

        return from_preset(name, load_weights)

    def save_to_preset(self, folder: PathLike) -> None:
        """Writes the model as a preset: graph, weights, layout, decoder, calibration.

        Args:
            folder: path, made if missing.

        Raises:
            InputError: if the folder holds another preset or cannot be written to.
        """
        from rcn_keras.presets import save_to_preset

        save_to_preset(folder, self)

    def get_config(self) -> dict[str, Any]:
        graph = keras.Model(self.input, self.output, name=self.name)
        return {
            **graph.get_config(),
            "trainable": self.trainable,
            "layout": self.layout.to_dict(),
            **self.decoder_config(),
        }

    def decoder_config(self) -> dict:
        """The arguments of `set_decoder`, as JSON can hold them."""
        line = self.face_calibration
        return {
            "decoder": self.decoder,
            "calibration": list(self.calibration),
            "face_calibration": line and list(line),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> KeypointModel:
        graph = dict(config)
        own = {key: graph.pop(key) for key in ("layout", "decoder", "calibration")}
        # Files from before there were face scores have none.
        own["face_calibration"] = graph.pop("face_calibration", None)
        trainable = graph.pop("trainable", True)
        graph = keras.Model.from_config(graph, custom_objects)
        model = cls(graph.input, graph.output, **own, name=graph.name)
        if not trainable:
            model.trainable = False
        return model


@register
class KeypointRegression(KeypointModel):
    """A `KeypointModel` whose output holds the keypoints themselves, no maps.

    Args:
        inputs: symbolic tensor, `(N, H, W, channels)` images.
        outputs: dict of symbolic tensors, `keypoints` `(N, K, 2)` among them.
        layout: `KeypointLayout` of K keypoints.
        **kwargs: as of `KeypointModel`; decoder and calibrations are without effect.
    """

    def _output_keypoints(self):
        return self.output["keypoints"].shape[1]

    @property
    def input_size(self) -> int:
        """S, the side of the images in pixels."""
        return self.input_shape[1]

    def decode(self, maps: Tensor, decoder: str | None = None) -> dict:
        """The keypoints of the output, by any decoder; confidence and face score, which
        come from maps, are NaN."""
        keypoints = maps["keypoints"]
        unknown = ops.full_like(keypoints[..., 0], float("nan"))
        return {
            "keypoints": keypoints,
            "confidence": unknown,
            "face_score": unknown[:, 0],
        }


def compiled(inputs: Tensor, outputs: Tensor) -> keras.Model:
    """A network for `predict_on_batch`: compiled, so that nothing is traced again.

    XLA is slower than oneDNN on a processor, so TensorFlow does without.

    Args:
        inputs, outputs: symbolic tensors, or structures of them.
    """
    network = keras.Model(inputs, outputs)
    network.compile(jit_compile=keras.backend.backend() == "jax")
    return network


def keypoint_model(model: keras.Model) -> KeypointModel:
    """A network as a `KeypointModel`, of the same layers.

    Args:
        model: `KeypointModel`, which is given back, or a plain `keras.Model` of maps or
            of `keypoints`, as files of older versions hold them: its layout is that of
            a face with so many keypoints.

    Raises:
        ValueError: if the layout is not known.
    """
    if isinstance(model, KeypointModel):
        return model
    kind, count = KeypointModel, model.output_shape[-1]
    if isinstance(model.output, dict):
        kind, count = KeypointRegression, model.output["keypoints"].shape[1]
    layout = chosen_layout(count, None)
    return kind(model.input, model.output, layout, name=model.name)
