"""Networks run by Keras, on the backend that it is set to."""

import keras
import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.layers.large_kernel_conv2d import inference_model
from rcn_keras.models import JointModel, KeypointModel, keypoint_model
from rcn_keras.models.keypoint_model import compiled
from rcn_keras.runtime import LOCATED, Located

BUCKETS = (1, 8, 64)  # batch sizes compiled for; a batch is filled up to the next one


class KerasRuntime:
    """See `runtime.Runtime`.

    Args:
        model: `KeypointModel` of grey crops, or what `models.keypoint_model` makes one
            of. Later changes of its weights do not always show.

    Raises:
        InputError: if the model takes other images, or gives no maps.
    """

    name = "keras"

    def __init__(self, model: keras.Model):
        self.model: KeypointModel = keypoint_model(model)
        if self.model.input_shape[-1] != 1:
            raise InputError(
                "`model` must take grey crops, (N, S, S, 1). "
                f"Received: {self.model.input_shape}"
            )
        if isinstance(self.model.output, dict):
            raise InputError(
                "`model` must give maps, (N, S, S, K): the confidence comes from "
                f"them. Received: a model of {', '.join(self.model.output)}"
            )
        self.input_size = self.model.input_size
        # A copy that has the transforms of large kernels ready, where there are any.
        joint = isinstance(self.model, JointModel)
        network = inference_model(self.model) if joint else self.model
        self._network = compiled(network.input, self.model.decode(network.output))

    def __call__(self, crops: np.ndarray) -> Located:
        parts = []
        for start in range(0, len(crops), BUCKETS[-1]):
            batch = crops[start : start + BUCKETS[-1]].astype("float32")
            bucket = next(size for size in BUCKETS if size >= len(batch))
            padded = np.pad(batch, [(0, bucket - len(batch)), (0, 0), (0, 0), (0, 0)])
            outputs = self._network.predict_on_batch(padded)
            parts.append([np.asarray(outputs[name])[: len(batch)] for name in LOCATED])
        keypoints, confidence, face_score = map(np.concatenate, zip(*parts))
        return keypoints, confidence, face_score

    def __reduce__(self):
        # Keras saves no network that holds the transforms of large kernels.
        return KerasRuntime, (self.model,)
