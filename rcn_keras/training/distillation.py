"""A network learns the maps of a better one beside the labels (knowledge distillation).

The teacher sees the very picture that the network sees, moved and occluded, so it also
says where a keypoint is that has no label, and how sure it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from rcn_keras._serialization import register
from rcn_keras._types import Tensor
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.losses import SpatialCrossentropy
from rcn_keras.presets import load_preset

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout
    from rcn_keras.models import KeypointModel


@register
class TaughtCrossentropy(keras.losses.Loss):
    """`SpatialCrossentropy` of the labels, and of the teacher's probability maps.

    Args:
        outside: as of `SpatialCrossentropy`.
        teacher_weight: float in [0, 1], what the teacher counts; the labels the rest.

    Call arguments:
        y_true: `(N, K, 2 + H * W)`: keypoints in map pixels, then the teacher's
            pre-softmax map of each, row by row.
        y_pred: `(N, H, W, K)` pre-softmax maps.

    Returns:
        The weighted sum; of the teacher's part the mean over faces and keypoints,
        times K.

    Reference:
        Hinton et al., Distilling the Knowledge in a Neural Network, 2015.
    """

    def __init__(
        self,
        outside: str = "clip",
        teacher_weight: float = 0.5,
        name: str = "taught_crossentropy",
        **kwargs: Any,
    ):
        super().__init__(name=name, reduction="sum", **kwargs)
        self.labels = SpatialCrossentropy(outside)
        self.outside, self.teacher_weight = outside, teacher_weight

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        height, width, keypoints = y_pred.shape[1:]
        flat = ops.reshape(y_pred, (-1, height * width, keypoints))
        logits = ops.transpose(flat, (0, 2, 1))
        taught = ops.softmax(y_true[..., 2:], axis=-1)
        crossentropy = ops.categorical_crossentropy(taught, logits, from_logits=True)
        labels = self.labels(y_true[..., :2], y_pred)
        teacher = keypoints * ops.mean(crossentropy)
        return (1 - self.teacher_weight) * labels + self.teacher_weight * teacher

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "outside": self.outside,
            "teacher_weight": self.teacher_weight,
        }


def load_teacher(
    preset: str, layout: KeypointLayout, input_size: int = INPUT_SIZE
) -> KeypointModel:
    """The network of a preset that teaches.

    Args:
        preset: str, name or folder of a preset.
        layout: `KeypointLayout` of the network that learns.
        input_size: int, side of its input in pixels.

    Raises:
        InputError: if there is no such preset, or it has no maps of these keypoints.
    """
    teacher = load_preset(preset)
    kind, finds = teacher.config["model"], teacher.model.layout
    if kind not in ("rcn", "sumnet") or finds.name != layout.name:
        raise InputError(
            f"{preset}: a teacher must be an RCN or a SumNet of {layout.count} "
            f"keypoints ({layout.name}); found a {kind} of {finds.count} ({finds.name})"
        )
    if teacher.model.input_size != input_size:
        raise InputError(
            f"{preset}: a teacher must see what the network sees, {input_size} pixels; "
            f"found an input of {teacher.model.input_size}"
        )
    teacher.model.trainable = False
    return teacher.model


def taught(batches: Any, teacher: keras.Model) -> Any:
    """Training batches whose targets hold the teacher's maps, for `TaughtCrossentropy`.

    Args:
        batches: `tf.data.Dataset` or `keras.utils.PyDataset` of images `(N, H, W, C)`
            and keypoints `(N, K, 2)`.
        teacher: `keras.Model`, images to `(N, H, W, K)` pre-softmax maps.
    """
    if not isinstance(batches, keras.utils.PyDataset):
        return batches.map(lambda x, y: (x, _targets(y, teacher(x)))).prefetch(2)
    return _Taught(batches, teacher)


class _Taught(keras.utils.PyDataset):
    def __init__(self, batches, teacher):
        super().__init__(workers=1)
        self.batches, self._add_maps = batches, _compiled(teacher)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        images, keypoints = self.batches[index]
        return images, self._add_maps(images, keypoints)

    def on_epoch_end(self):
        self.batches.on_epoch_end()


def _compiled(teacher):
    """Images and keypoints to targets, in one compiled call; the maps stay on the
    device that computes them."""
    if keras.backend.backend() != "jax":
        teacher.compile()
        return lambda x, y: _targets(y, teacher.predict_on_batch(x))
    import jax

    state = [
        [variable.value for variable in variables]
        for variables in (teacher.trainable_variables, teacher.non_trainable_variables)
    ]
    # Weights as arguments: as constants they would be compiled into the program.
    add_maps = jax.jit(lambda s, x, y: _targets(y, teacher.stateless_call(*s, x)[0]))
    return lambda x, y: add_maps(state, x, y)


def _targets(keypoints, maps):
    height, width, count = maps.shape[1:]
    flat = ops.reshape(ops.cast(maps, "float32"), (-1, height * width, count))
    return ops.concatenate([keypoints, ops.transpose(flat, (0, 2, 1))], axis=-1)
