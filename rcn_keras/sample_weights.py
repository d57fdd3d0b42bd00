"""Weights of faces and keypoints, for losses and metrics."""

from keras import ops

from rcn_keras._types import Tensor


def by_keypoint(sample_weight: Tensor) -> Tensor:
    """Weights as float32 that broadcasts to `(N, K)`.

    Args:
        sample_weight: `(N,)` or `(N, 1)`, one a face, `(N, K)`, one a keypoint, or
            `None`, which stays.
    """
    if sample_weight is None:
        return None
    sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
    return sample_weight[:, None] if len(sample_weight.shape) == 1 else sample_weight
