from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from rcn_keras._serialization import register
from rcn_keras.layers import PeakOneHot
from rcn_keras.layout import KeypointLayout
from rcn_keras.models.denoiser import build_denoiser
from rcn_keras.models.keypoint_model import KeypointModel, keypoint_model
from rcn_keras.models.rcn import build_rcn


@register
class JointModel(KeypointModel):
    """RCN and the denoising keypoint model as one network.

    The likeliest cells of RCN's maps go into the denoiser as one-hot maps; its maps are
    added to RCN's before the softmax, so that a point is where the picture and the
    other points together put it.

    Args:
        rcn: `KeypointModel`, `(N, H, W, channels)` images to `(N, H, W, K)` pre-softmax
            maps.
        denoiser: `KeypointModel`, `(N, H, W, K)` one-hot maps to `(N, H, W, K)`
            pre-softmax maps.
        iterations: int, how often the denoiser runs: from the second time on it sees
            the likeliest cells of the sum. 1 is the paper's.
        denoiser_weight: float, factor of the denoiser's maps in the sum; 1 is the
            paper's, the shipped one is fitted on validation.
        decoder: one of `codec.DECODERS`.
        calibration: `(slope, offset)` of the confidence (`codec.confidence`).
        face_calibration: `(slope, offset)` of the face score (`codec.face_score`), or
            `None`: it is NaN then.
        name: str, name of the model.

    Input shape:
        `(N, H, W, channels)`, as `rcn`

    Output shape:
        `(N, H, W, K)` pre-softmax maps, the sum

    Raises:
        ValueError: if the two networks do not fit together or `iterations` is below 1.

    Example:
        >>> joint = rcn_keras.JointModel(
        ...     rcn_keras.build_rcn(5, keypoints=68), rcn_keras.build_denoiser()
        ... )
        >>> joint.locate(images)["keypoints"].shape
        (1, 68, 2)

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 4, Fig. 2.
    """

    def __init__(
        self,
        rcn: KeypointModel,
        denoiser: KeypointModel,
        iterations: int = 1,
        denoiser_weight: float = 1.0,
        decoder: str = "local_mean",
        calibration: Sequence[float] = (1.0, 0.0),
        face_calibration: Sequence[float] | None = None,
        name: str = "joint",
        **kwargs: Any,
    ):
        rcn, denoiser = keypoint_model(rcn), keypoint_model(denoiser)
        if (
            not rcn.output_shape[1:]
            == denoiser.input_shape[1:]
            == (denoiser.output_shape[1:])
        ):
            raise ValueError(
                "`denoiser` must take and give maps of the shape that `rcn` gives, "
                f"{rcn.output_shape[1:]}. Received: {denoiser.input_shape[1:]} to "
                f"{denoiser.output_shape[1:]}"
            )
        if not isinstance(iterations, int) or iterations < 1:
            raise ValueError(
                "`iterations` must be a whole number of at least 1. "
                f"Received: iterations={iterations!r}"
            )
        if not isinstance(denoiser_weight, (int, float)):
            raise ValueError(
                "`denoiser_weight` must be a number. "
                f"Received: denoiser_weight={denoiser_weight!r}"
            )
        images = keras.Input(rcn.input_shape[1:], name="images")
        maps, prior = _graph(rcn), _graph(denoiser)
        seen = summed = maps(images)
        scale = layers.Rescaling(denoiser_weight, dtype="float32", name="weight")
        one_hot = PeakOneHot(name="peaks")
        add = layers.Add(dtype="float32", name="sum")
        for _ in range(iterations):
            summed = add([seen, scale(prior(one_hot(summed)))])
        super().__init__(
            images,
            summed,
            rcn.layout,
            decoder,
            calibration,
            face_calibration,
            name,
            **kwargs,
        )
        self.rcn = rcn
        self.denoiser = denoiser
        self.iterations = iterations
        self.denoiser_weight = denoiser_weight

    def get_config(self) -> dict[str, Any]:
        return {
            "rcn": keras.saving.serialize_keras_object(self.rcn),
            "denoiser": keras.saving.serialize_keras_object(self.denoiser),
            "iterations": self.iterations,
            "denoiser_weight": self.denoiser_weight,
            **self.decoder_config(),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> JointModel:
        config = dict(config)
        trainable = config.pop("trainable", True)
        for part in ("rcn", "denoiser"):
            config[part] = keras.saving.deserialize_keras_object(
                config[part], custom_objects
            )
        model = cls(**config)
        if not trainable:
            model.trainable = False
        return model


def _graph(model):
    """The bare network: files of weights name the parts of a joint model by class."""
    return keras.Model(model.input, model.output, name=model.name)


def joint_networks(joint: JointModel) -> dict[str, KeypointModel]:
    """The parts of a joint model by themselves, images to pre-softmax maps each.

    Args:
        joint: `JointModel`.

    Returns:
        dict of `KeypointModel`: `rcn`; `denoiser`, which sees the likeliest cells of
        RCN's maps and nothing else; `joint`, both.
    """
    seen = PeakOneHot()(joint.rcn.output)
    alone = joint.denoiser(seen)
    return {
        "rcn": joint.rcn,
        "denoiser": KeypointModel(joint.rcn.input, alone, joint.layout),
        "joint": joint,
    }


def build_joint(
    rcn: dict, denoiser: dict, layout: KeypointLayout | None = None, **arguments: Any
) -> JointModel:
    """A `JointModel` from the arguments of its parts' builders, as presets have them.

    Args:
        rcn: dict, arguments of `build_rcn`.
        denoiser: dict, arguments of `build_denoiser`.
        layout: `KeypointLayout` of both, or `None`: by the parts' own arguments.
        **arguments: the other arguments of `JointModel`.
    """
    return JointModel(
        build_rcn(**rcn, layout=layout, name="rcn"),
        build_denoiser(**denoiser, layout=layout, name="denoiser"),
        **arguments,
    )
