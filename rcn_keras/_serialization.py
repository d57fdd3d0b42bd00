"""One decorator: what makes `.keras` files load with no `custom_objects`."""

from typing import TypeVar

import keras

Registered = TypeVar("Registered")


def register(cls: Registered) -> Registered:
    """Registers a layer, loss, metric or initializer under package "rcn_keras"."""
    return keras.saving.register_keras_serializable(package="rcn_keras")(cls)
