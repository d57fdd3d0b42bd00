"""What a recipe's model learns: batches, loss, and what it is validated on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras

from rcn_keras.attributes import ATTRIBUTES
from rcn_keras.data import shapes
from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import TrainingBatches, input_images
from rcn_keras.losses import KeypointDistance, SpatialCrossentropy
from rcn_keras.training.distillation import TaughtCrossentropy, load_teacher, taught

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops
    from rcn_keras.training.recipe import Recipe


# What an attribute's cross-entropy counts in the loss, beside the keypoints' distance.
ATTRIBUTE_WEIGHT = 0.1


@dataclasses.dataclass(frozen=True)
class Task:
    """Attributes:
    batches: callable, `(augmentation, first_epoch)` to what `model.fit` takes.
    loss: `keras.losses.Loss`, or a dict of them, one for each output of the model.
    loss_weights: `None`, or dict of floats, as `model.compile` takes it.
    clean, jittered: the validation faces as they are, and once jittered from a fixed
        seed: each a tuple of the model's inputs, the true keypoints `(N, K, 2)` and
        which of them count, `(N, K)` bool.
    """

    batches: Callable
    loss: keras.losses.Loss | dict
    clean: tuple
    jittered: tuple
    loss_weights: dict | None = None


def make_task(recipe: Recipe, training: Crops, validation: Crops) -> Task:
    """The task of a recipe on these faces.

    Args:
        recipe: `Recipe`.
        training, validation: `Crops`.
    """
    clean, jittered = validation_sets(
        recipe.model, validation, recipe.corrupted, recipe.augmentation.occlusion
    )
    if recipe.model == "denoiser":

        def shape_batches(augmentation, first_epoch):
            return shapes.ShapeBatches(
                training,
                corrupted=recipe.corrupted,
                batch_size=recipe.batch_size,
                augmentation=augmentation,
                seed=recipe.seed,
                first_epoch=first_epoch,
            )

        return Task(shape_batches, SpatialCrossentropy(outside="mask"), clean, jittered)

    known = training.without_border_keypoints()
    attributes = recipe.model == "tcdcn" and recipe.arguments.get("attributes", True)

    def batches(augmentation, first_epoch):
        settings = {
            "batch_size": recipe.batch_size,
            "augmentation": augmentation,
            "seed": recipe.seed,
            "first_epoch": first_epoch,
            "attributes": attributes,
        }
        if keras.backend.backend() == "tensorflow":
            from rcn_keras.data.pipeline import training_dataset

            return training_dataset(known, **settings)
        return TrainingBatches(known, **settings)

    if recipe.model == "tcdcn":
        names = ATTRIBUTES if attributes else ()
        classes_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        loss = {"keypoints": KeypointDistance(), **dict.fromkeys(names, classes_loss)}
        weights = {"keypoints": 1.0, **dict.fromkeys(names, ATTRIBUTE_WEIGHT)}
        return Task(batches, loss, clean, jittered, weights)

    # The original clips a keypoint outside the frame for MTFL, leaves it out for 300-W.
    outside = training.layout.outside
    if recipe.teacher is None:
        return Task(batches, SpatialCrossentropy(outside=outside), clean, jittered)
    teacher = load_teacher(recipe.teacher, training.layout, training.input_size)
    loss = TaughtCrossentropy(outside, recipe.teacher_weight)
    return Task(
        lambda *epochs: taught(batches(*epochs), teacher), loss, clean, jittered
    )


def validation_sets(
    model: str, validation: Crops, corrupted: int = 0, occlusion: bool = True
) -> tuple:
    """What a model is validated on: the faces as they are, and jittered from seed 0.

    Args:
        model: str, a key of `BUILDERS`.
        validation: `Crops`.
        corrupted: int, keypoints moved in each face, for a denoiser.
        occlusion: bool, whether the jittered pictures are occluded too.

    Returns:
        clean, jittered: as in `Task`.
    """
    augmentations = None, Augmentation(flip=False, occlusion=occlusion)
    if model == "denoiser":
        return tuple(
            shapes.corrupted_shapes(validation, corrupted, augmentation)
            for augmentation in augmentations
        )
    counted = validation.counted()
    return tuple(
        (*input_images(validation, augmentation, seed=0), counted)
        for augmentation in augmentations
    )
