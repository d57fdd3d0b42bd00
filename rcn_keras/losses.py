"""Losses on `(N, K, 2)` keypoints: against pre-softmax maps, with no dense target made,
and against keypoints."""

from typing import Any

import keras
from keras import ops

from rcn_keras import codec
from rcn_keras._serialization import register
from rcn_keras._types import Tensor
from rcn_keras.sample_weights import by_keypoint


class _KeypointLoss(keras.losses.Loss):
    """A cost for each of `(N, K)` keypoints, summed.

    A `sample_weight` of shape `(N,)` or `(N, 1)` is for each face, one of `(N, K)` for
    each keypoint. Keypoints that are NaN or infinite never count.
    """

    def __init__(self, name, **kwargs):
        super().__init__(name=name, reduction="sum", **kwargs)

    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred, by_keypoint(sample_weight))


@register
class SpatialCrossentropy(_KeypointLoss):
    """Negative log probability of each keypoint's cell, summed over keypoints (Eq. 2).

    A keypoint that is NaN or infinite never counts. One outside the frame is clipped to
    the border cell (the original's MTFL rule) or left out (its 300-W rule), by
    `outside`.

    Args:
        outside: `"clip"` or `"mask"`.

    Call arguments:
        y_true: `(N, K, 2)` keypoints in map pixels.
        y_pred: `(N, H, W, K)` pre-softmax maps.

    Returns:
        The mean over the keypoints that count, times K.

    Raises:
        ValueError: if `outside` is neither.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Eq. 2.
    """

    def __init__(
        self, outside: str = "clip", name: str = "spatial_crossentropy", **kwargs: Any
    ):
        super().__init__(name, **kwargs)
        if outside not in ("clip", "mask"):
            raise ValueError(
                f"`outside` must be 'clip' or 'mask'. Received: outside={outside!r}"
            )
        self.outside = outside

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        height, width, keypoints = y_pred.shape[1:]
        known = _known(y_true)
        y_true = ops.where(known[..., None], y_true, 0.0)
        if self.outside == "mask":
            limit = ops.convert_to_tensor([width, height], dtype="float32")
            within = ops.logical_and(y_true >= 0, y_true < limit)
            known = ops.logical_and(known, ops.all(within, axis=-1))
        flat = ops.reshape(y_pred, (-1, height * width, keypoints))
        logits = ops.transpose(flat, (0, 2, 1))
        cells = codec.encode(y_true, height, width)
        negative_log = ops.sparse_categorical_crossentropy(
            cells, logits, from_logits=True
        )
        counts = ops.cast(known, negative_log.dtype)
        return negative_log * counts * (keypoints / ops.maximum(ops.sum(counts), 1.0))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "outside": self.outside}


@register
class ExpectedDistance(_KeypointLoss):
    """Squared distance from the mean of the probability map, as a regression would.

    The alternative the paper tried and found worse: it cannot hold two hypotheses
    (footnote 4).

    Call arguments:
        y_true: `(N, K, 2)` keypoints in map pixels; NaN or infinity never counts.
        y_pred: `(N, H, W, K)` pre-softmax maps.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, footnote 4.
    """

    def __init__(self, name: str = "expected_distance", **kwargs: Any):
        super().__init__(name, **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        known = _known(y_true)
        y_true = ops.where(known[..., None], y_true, 0.0)
        height, width, keypoints = y_pred.shape[1:]
        probabilities = codec.spatial_softmax(y_pred)
        x = ops.arange(width, dtype="float32") + 0.5
        y = ops.arange(height, dtype="float32") + 0.5
        mean_x = ops.tensordot(ops.sum(probabilities, axis=1), x, axes=[[1], [0]])
        mean_y = ops.tensordot(ops.sum(probabilities, axis=2), y, axes=[[1], [0]])
        mean = ops.stack([mean_x, mean_y], axis=-1)
        squared = ops.sum((mean - y_true) ** 2, axis=-1)
        counts = ops.cast(known, squared.dtype)
        return squared * counts * (keypoints / ops.maximum(ops.sum(counts), 1.0))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


@register
class KeypointDistance(_KeypointLoss):
    """Squared distance of regressed keypoints, summed over keypoints.

    Args:
        unit: float, pixels at which a keypoint costs 1: of the order of what a wrong
            attribute costs, so that the weights of both are comparable.

    Call arguments:
        y_true: `(N, K, 2)` keypoints in input pixels; NaN or infinity never counts.
            One outside the frame counts as any other: a regression can reach it.
        y_pred: `(N, K, 2)` keypoints in input pixels.

    Returns:
        The mean over the keypoints that count, times K.
    """

    def __init__(
        self, unit: float = 8.0, name: str = "keypoint_distance", **kwargs: Any
    ):
        super().__init__(name, **kwargs)
        self.unit = unit

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        known = _known(y_true)
        y_true = ops.where(known[..., None], y_true, 0.0)
        squared = ops.sum(((y_pred - y_true) / self.unit) ** 2, axis=-1)
        counts = ops.cast(known, squared.dtype)
        keypoints = y_pred.shape[1]
        return squared * counts * (keypoints / ops.maximum(ops.sum(counts), 1.0))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "unit": self.unit}


def _known(y_true):
    return ops.all(ops.isfinite(y_true), axis=-1)
