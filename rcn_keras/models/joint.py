import keras
from keras import layers

from rcn_keras._serialization import register
from rcn_keras.layers import KeypointDecoder, PeakOneHot, SpatialSoftmax
from rcn_keras.models.denoiser import build_denoiser
from rcn_keras.models.rcn import build_rcn


@register
class JointModel(keras.Model):
    """RCN and the denoising keypoint model as one network, crops to keypoints.

    The likeliest cells of RCN's maps go into the denoiser as one-hot maps; its maps are
    added to RCN's before the softmax, so that a point is where the picture and the
    other points together put it.

    Args:
        rcn: `keras.Model`, `(N, H, W, channels)` images to `(N, H, W, K)` pre-softmax
            maps.
        denoiser: `keras.Model`, `(N, H, W, K)` one-hot maps to `(N, H, W, K)`
            pre-softmax maps.
        iterations: int, how often the denoiser runs: from the second time on it sees
            the likeliest cells of the sum. 1 is the paper's.
        denoiser_weight: float, factor of the denoiser's maps in the sum; 1 is the
            paper's, the shipped one is fitted on validation.
        decoder: one of `codec.DECODERS`.
        calibration: `(slope, offset)` of the confidence (`codec.confidence`).
        name: str, name of the model.

    Input shape:
        `(N, H, W, channels)`, as `rcn`

    Returns:
        dict of `maps` `(N, H, W, K)` probabilities, `keypoints` `(N, K, 2)` in map
        pixels and `confidence` `(N, K)`. The attribute `presoftmax` is the same network
        as a `keras.Model` of pre-softmax maps, which is what losses and metrics take.

    Raises:
        ValueError: if the two networks do not fit together or `iterations` is below 1.

    Example:
        >>> joint = rcn_keras.JointModel(
        ...     rcn_keras.build_rcn(5, keypoints=68), rcn_keras.build_denoiser()
        ... )
        >>> joint(images)["keypoints"].shape
        (1, 68, 2)

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 4, Fig. 2.
    """

    def __init__(
        self,
        rcn,
        denoiser,
        iterations=1,
        denoiser_weight=1.0,
        decoder="local_mean",
        calibration=(1.0, 0.0),
        name="joint",
        **kwargs,
    ):
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
        if not isinstance(denoiser_weight, (int, float)) or len(calibration) != 2:
            raise ValueError(
                "`denoiser_weight` must be a number and `calibration` two. Received: "
                f"denoiser_weight={denoiser_weight!r}, calibration={calibration!r}"
            )
        images = keras.Input(rcn.input_shape[1:], name="images")
        seen = rcn(images)
        scale = layers.Rescaling(denoiser_weight, dtype="float32", name="weight")
        one_hot = PeakOneHot(name="peaks")
        add = layers.Add(dtype="float32", name="sum")
        summed = seen
        for _ in range(iterations):
            summed = add([seen, scale(denoiser(one_hot(summed)))])
        located = KeypointDecoder(decoder, *calibration, name="decoder")(summed)
        outputs = {"maps": SpatialSoftmax(name="probabilities")(summed), **located}
        super().__init__(inputs=images, outputs=outputs, name=name, **kwargs)
        self._summed = summed
        self.rcn = rcn
        self.denoiser = denoiser
        self.iterations = iterations
        self.denoiser_weight = denoiser_weight
        self.decoder = decoder
        self.calibration = tuple(calibration)

    @property
    def presoftmax(self):
        """The same network, `(N, H, W, K)` pre-softmax maps out."""
        return keras.Model(self.input, self._summed, name=f"{self.name}_presoftmax")

    def get_config(self):
        return {
            "rcn": keras.saving.serialize_keras_object(self.rcn),
            "denoiser": keras.saving.serialize_keras_object(self.denoiser),
            "iterations": self.iterations,
            "denoiser_weight": self.denoiser_weight,
            "decoder": self.decoder,
            "calibration": list(self.calibration),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        trainable = config.pop("trainable", True)
        for part in ("rcn", "denoiser"):
            config[part] = keras.saving.deserialize_keras_object(
                config[part], custom_objects
            )
        model = cls(**config)
        model.trainable = trainable
        return model


def maps_model(model):
    """A model of pre-softmax maps: of a `JointModel` its own, else the model itself."""
    return model.presoftmax if isinstance(model, JointModel) else model


def joint_networks(joint):
    """The parts of a joint model by themselves: images to pre-softmax maps, each.

    Args:
        joint: `JointModel`.

    Returns:
        dict of `keras.Model`: `rcn`; `denoiser`, which sees the likeliest cells of
        RCN's maps and nothing else; `joint`, both.
    """
    seen = PeakOneHot()(joint.rcn.output)
    return {
        "rcn": joint.rcn,
        "denoiser": keras.Model(joint.rcn.input, joint.denoiser(seen)),
        "joint": joint.presoftmax,
    }


def build_joint(rcn, denoiser, **arguments):
    """A `JointModel` from the arguments of its parts' builders, as presets have them.

    Args:
        rcn: dict, arguments of `build_rcn`.
        denoiser: dict, arguments of `build_denoiser`.
        **arguments: the other arguments of `JointModel`.
    """
    return JointModel(
        build_rcn(**rcn, name="rcn"),
        build_denoiser(**denoiser, name="denoiser"),
        **arguments,
    )
