from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from rcn_keras import codec
from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor
from rcn_keras.layout import KeypointLayout


@register
class KeypointDecoder(layers.Layer):
    """Keypoints, their confidence and a face score from pre-softmax maps, as the end of
    a model.

    Computed in float32 whatever the dtype policy.

    Args:
        layout: `KeypointLayout` of the K keypoints, or a dict of its `to_dict`.
        method: one of `codec.DECODERS`.
        slope, offset: floats, the calibration of the confidence (`codec.confidence`).
        face_calibration: `(slope, offset)` of the face score (`codec.face_score`), or
            `None`: it is NaN then.

    Input shape:
        `(N, H, W, K)` pre-softmax maps

    Returns:
        dict of `keypoints` `(N, K, 2)`, (x, y) in map pixels, `confidence` `(N, K)`
        and `face_score` `(N,)`.

    Raises:
        ValueError: if there is no such method.
    """

    def __init__(
        self,
        layout: KeypointLayout | dict,
        method: str = "local_mean",
        slope: float = 1.0,
        offset: float = 0.0,
        face_calibration: Sequence[float] | None = None,
        dtype: Any = "float32",
        **kwargs: Any,
    ):
        super().__init__(dtype=dtype, **kwargs)
        if isinstance(layout, dict):  # out of a configuration
            layout = KeypointLayout.from_dict(layout)
        if method not in codec.DECODERS:
            raise ValueError(
                f"`method` must be one of {codec.DECODERS}. Received: {method!r}"
            )
        self.layout = layout
        self.method = method
        self.slope = slope
        self.offset = offset
        self.face_calibration = face_calibration
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        keypoints = codec.decode(inputs, self.method)
        log_odds = codec.mass_log_odds(inputs, keypoints, self.layout)
        if self.face_calibration is None:
            # Not computed with NaN, which compiled by XLA can give a number.
            face_score = keras.ops.full_like(log_odds[:, 0], float("nan"))
        else:
            face_score = codec.face_score(log_odds, *self.face_calibration)
        return {
            "keypoints": keypoints,
            "confidence": codec.confidence(log_odds, self.slope, self.offset),
            "face_score": face_score,
        }

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, _, _, keypoints = input_shape
        return {
            "keypoints": (batch, keypoints, 2),
            "confidence": (batch, keypoints),
            "face_score": (batch,),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "layout": self.layout.to_dict(),
            "method": self.method,
            "slope": self.slope,
            "offset": self.offset,
            "face_calibration": self.face_calibration,
        }
