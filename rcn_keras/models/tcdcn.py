from typing import Any

from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Tensor
from rcn_keras.attributes import ATTRIBUTES
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.layout import KeypointLayout, chosen_layout
from rcn_keras.models import blocks
from rcn_keras.models.keypoint_model import KeypointRegression

# Filters and side of the kernel of each convolution.
CONVOLUTIONS = ((16, 5), (48, 3), (64, 3), (64, 2))


@register
def absolute_tanh(x: Tensor) -> Tensor:
    """The absolute value of tanh, TCDCN's activation."""
    return ops.absolute(ops.tanh(x))


ACTIVATIONS = {"absolute_tanh": absolute_tanh, "relu": "relu"}


def build_tcdcn(
    keypoints: int = 5,
    layout: KeypointLayout | None = None,
    attributes: bool = True,
    size: int = 80,
    features: int = 100,
    activation: str = "absolute_tanh",
    channels: int = 1,
    normalization: str | None = "local_contrast",
    kernel_initializer: Any = "glorot_uniform",
    name: str = "tcdcn",
) -> KeypointRegression:
    """Builds a TCDCN, the regression that the paper compares with.

    Four convolutions without padding, max pooling after the first three, and one fully
    connected layer from which linear heads regress the keypoints and predict attributes
    of the face, the auxiliary tasks.

    Args:
        keypoints: int, of `FACE_5` or of `FACE_68`, the layout that is meant.
        layout: `KeypointLayout` of any K keypoints; `keypoints` is then ignored.
        attributes: bool, heads for MTFL's attributes (`ATTRIBUTES`).
        size: side of what the convolutions see: 80, which validates better, or 40, the
            image averaged over 2x2 pixels, as in TCDCN.
        features: int, units of the fully connected layer.
        activation: `"absolute_tanh"` (TCDCN's) or `"relu"`.
        channels: int, 1 for grey, 3 for RGB.
        normalization: `"local_contrast"`, or `None` for a plain division by 255.
        kernel_initializer: Keras initialiser or its name.
        name: str, name of the model.

    Returns:
        `KeypointRegression`, `(N, 80, 80, channels)` grey values 0...255 to a dict of
        `keypoints` `(N, K, 2)`, (x, y) in input pixels, and with `attributes` logits
        `gender`, `smile` and `glasses` `(N, 2)`, `pose` `(N, 5)`.

    Raises:
        ValueError: if an argument is out of range; the message says what was wanted.

    Example:
        >>> rcn_keras.build_tcdcn().count_params()
        367357

    Reference:
        Zhang et al., Facial Landmark Detection by Deep Multi-task Learning, ECCV 2014;
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 5.2, Table 3.
    """
    if size not in (INPUT_SIZE // 2, INPUT_SIZE):
        raise ValueError(
            f"`size` must be {INPUT_SIZE // 2} or {INPUT_SIZE}. Received: size={size!r}"
        )
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"`activation` must be one of {tuple(ACTIVATIONS)}. "
            f"Received: activation={activation!r}"
        )
    layout = chosen_layout(keypoints, layout)
    settings = {
        "activation": ACTIVATIONS[activation],
        "kernel_initializer": kernel_initializer,
    }
    image, x = blocks.image_input(INPUT_SIZE, channels, normalization)
    if size != INPUT_SIZE:
        x = layers.AveragePooling2D(
            INPUT_SIZE // size, data_format="channels_last", name="reduced"
        )(x)
    for number, (filters, kernel) in enumerate(CONVOLUTIONS, 1):
        x = layers.Conv2D(
            filters,
            kernel,
            data_format="channels_last",
            name=f"conv_{number}",
            **settings,
        )(x)
        if number < len(CONVOLUTIONS):
            x = layers.MaxPooling2D(data_format="channels_last", name=f"pool_{number}")(
                x
            )
    x = layers.Flatten("channels_last", name="flat")(x)
    x = layers.Dense(features, name="features", **settings)(x)

    # From -1...1 over the frame to its pixels.
    half = INPUT_SIZE / 2
    count = layout.count
    points = layers.Dense(2 * count, dtype="float32", name="coordinates")(x)
    points = layers.Reshape((count, 2), dtype="float32", name="points")(points)
    points = layers.Rescaling(half, half, dtype="float32", name="keypoints")(points)
    outputs = {"keypoints": points}
    if attributes:
        for attribute, classes in ATTRIBUTES.items():
            head = layers.Dense(classes, dtype="float32", name=attribute)
            outputs[attribute] = head(x)
    return KeypointRegression(image, outputs, layout, name=name)
