"""One decorator: what makes `.keras` files load with no `custom_objects`."""

import keras


def register(cls):
    """Registers a layer, loss, metric or initializer under package "rcn_keras"."""
    return keras.saving.register_keras_serializable(package="rcn_keras")(cls)
