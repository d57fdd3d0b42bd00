"""What every layer must hold, in one helper; and small tools that tests share."""

import keras
import numpy as np
from keras import ops, tree

from rcn_keras.dtype_policy import dtype_policy


def to_numpy(structure):
    return tree.map_structure(ops.convert_to_numpy, structure)


def assert_same(actual, expected, **tolerance):
    """Structures of arrays that agree, exactly or within `atol`, `rtol`."""
    tolerance = {"rtol": 0, "atol": 0} | tolerance
    tree.assert_same_structure(actual, expected)
    for a, e in zip(tree.flatten(to_numpy(actual)), tree.flatten(to_numpy(expected))):
        np.testing.assert_allclose(a, e, **tolerance)


def _symbolic(x, name=None):
    return keras.Input(x.shape[1:], name=name, dtype=str(x.dtype))


def run_layer_test(cls, arguments, inputs, folder, float32=True, **call):
    """Checks shapes, configuration, saving and dtype of a layer.

    Args:
        cls: the layer class.
        arguments: dict, all its own arguments.
        inputs: array, or list or dict of arrays.
        folder: where a model file may be written.
        float32: bool, the output is float32 under mixed_bfloat16; `False`: bfloat16.
        call: further arguments of `call`.

    Returns:
        The outputs for `inputs`.
    """
    layer = cls(**arguments)
    symbolic = tree.map_structure(_symbolic, inputs)
    if isinstance(inputs, dict):  # Keras wants them to bear their keys as names.
        symbolic = {key: _symbolic(x, key) for key, x in inputs.items()}
    model = keras.Model(symbolic, layer(symbolic))
    outputs = to_numpy(layer(inputs, **call))
    for given, symbolic in zip(tree.flatten(outputs), tree.flatten(model.output)):
        assert symbolic.shape == (None, *given.shape[1:])
        assert symbolic.dtype == str(given.dtype)

    config = layer.get_config()
    assert arguments.items() <= config.items()
    clone = cls.from_config(config)
    assert clone.get_config() == config
    clone(inputs, **call)
    clone.set_weights(layer.get_weights())
    assert_same(clone(inputs, **call), outputs)

    path = folder / "layer.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert_same(loaded(inputs, **call), outputs)

    with dtype_policy("mixed_bfloat16"):
        mixed = cls(**arguments)(inputs, **call)
    expected = "float32" if float32 else "bfloat16"
    assert {keras.backend.standardize_dtype(x.dtype) for x in tree.flatten(mixed)} == {
        expected
    }
    return outputs
