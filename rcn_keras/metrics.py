"""Keras metrics for `compile`; the full evaluation stands in `rcn_keras.evaluation`."""

import keras
from keras import ops

from rcn_keras import codec
from rcn_keras._serialization import register


@register
class NormalizedMeanError(keras.metrics.Mean):
    """Mean distance between true and decoded keypoints over the interocular distance.

    A fraction, sub-pixel (neither side is floored). Keypoints that are NaN do not
    count, nor does a face with an eye that is.

    Args:
        decoder: one of `codec.DECODERS`.

    Call arguments:
        y_true: `(N, K, 2)` keypoints in map pixels, K 5 or 68.
        y_pred: `(N, H, W, K)` pre-softmax maps.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Eq. 4.
    """

    def __init__(
        self, decoder="local_mean", name="normalized_mean_error", dtype=None, **kwargs
    ):
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.decoder = decoder

    def update_state(self, y_true, y_pred, sample_weight=None):
        predicted = codec.decode(y_pred, self.decoder)
        distance = ops.sqrt(ops.sum((predicted - y_true) ** 2, axis=-1))
        eyes = codec.interocular_distance(y_true)[:, None]
        # From the truth alone: the NaN of a network that diverged must show.
        known = ops.logical_not(ops.isnan(ops.sum(y_true, axis=-1) + eyes))
        error = ops.where(known, distance / eyes, 0.0)
        weight = ops.cast(known, error.dtype)
        if sample_weight is not None:
            weight = weight * ops.reshape(sample_weight, (-1, 1))
        return super().update_state(error, weight)

    def get_config(self):
        return {**super().get_config(), "decoder": self.decoder}
