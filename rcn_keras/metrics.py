"""Keras metrics for `compile`; the full evaluation stands in `rcn_keras.evaluation`."""

from typing import Any

import keras
from keras import ops

from rcn_keras import codec
from rcn_keras._serialization import register
from rcn_keras._types import Tensor
from rcn_keras.layout import KeypointLayout
from rcn_keras.sample_weights import by_keypoint


@register
class NormalizedMeanError(keras.metrics.Mean):
    """Mean distance between true and decoded keypoints over the normalising distance.

    A fraction, sub-pixel (neither side is floored). Keypoints that are NaN or infinite
    do not count, nor does a face whose normalising distance (of the eyes, say) is, or
    is 0. A `sample_weight` is one a face, `(N,)`, or one a keypoint, `(N, K)`.

    Args:
        layout: `KeypointLayout` of the K keypoints, or a dict of its `to_dict`.
        decoder: one of `codec.DECODERS`.

    Call arguments:
        y_true: `(N, K, 2)` keypoints in map pixels.
        y_pred: `(N, H, W, K)` pre-softmax maps.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Eq. 4.
    """

    def __init__(
        self,
        layout: KeypointLayout | dict,
        decoder: str = "local_mean",
        name: str = "normalized_mean_error",
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=dtype, **kwargs)
        if isinstance(layout, dict):  # out of a configuration
            layout = KeypointLayout.from_dict(layout)
        self.layout = layout
        self.decoder = decoder

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        y_true = ops.cast(ops.convert_to_tensor(y_true), "float32")
        predicted = codec.decode(y_pred, self.decoder)
        distance = ops.sqrt(ops.sum((predicted - y_true) ** 2, axis=-1))
        unit = codec.normalizing_distance(y_true, self.layout)[:, None]
        # From the truth alone: the NaN of a network that diverged must show.
        known = ops.all(ops.isfinite(y_true), axis=-1)
        known = ops.logical_and(known, ops.logical_and(ops.isfinite(unit), unit > 0))
        error = ops.where(known, distance / ops.where(known, unit, 1.0), 0.0)
        weight = ops.cast(known, error.dtype)
        if sample_weight is not None:
            weight = weight * by_keypoint(sample_weight)
        return super().update_state(error, weight)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "layout": self.layout.to_dict(),
            "decoder": self.decoder,
        }
