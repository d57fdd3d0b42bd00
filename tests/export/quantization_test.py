import keras
import numpy as np
import pytest

from rcn_keras.data.synthetic import draw_crop
from rcn_keras.export.quantization import without_outliers
from rcn_keras.layout import FACE_5
from rcn_keras.models import KeypointModel
from rcn_keras.presets import load_preset


def crops(count, layout=FACE_5):
    return np.stack([draw_crop(s, layout)[-1] for s in range(100, 100 + count)])


def largest(model, images):
    """Layer to its largest activation."""
    outputs = {layer.name: layer.output for layer in model.layers[1:]}
    found = keras.Model(model.input, outputs).predict(images, verbose=0)
    return {name: values.max() for name, values in found.items()}


def test_the_finest_branches_of_rcn_are_capped_and_nothing_moves():
    model, images = load_preset("rcn6_mtfl").model, crops(8)
    capped = without_outliers(model)
    before, after = largest(model, images), largest(capped, images)
    assert after["branch_80_1"] < 0.3 * before["branch_80_1"]
    assert after["trunk_5"] == pytest.approx(before["trunk_5"], rel=1e-4)

    def peaks(network):
        maps = network.predict(images, verbose=0).reshape(8, -1, 5)
        return maps.argmax(axis=1)

    assert np.mean(peaks(capped) == peaks(model)) > 0.95


def test_a_network_without_outliers_stays_as_it_is():
    model = load_preset("sumnet6_mtfl").model
    assert without_outliers(model) is model


def test_the_activation_is_cut_at_the_percentile_of_drawn_faces():
    images = keras.Input((80, 80, 1))
    values = keras.layers.Rescaling(1 / 128)(images)
    for _ in range(3):
        values = keras.layers.Multiply()([values, values])  # a heavy tail
    first = keras.layers.Conv2D(1, 1, activation="relu", name="first")
    maps = keras.layers.Conv2D(5, 1)(first(values))
    model = KeypointModel(images, maps, FACE_5)
    first.set_weights([np.ones((1, 1, 1, 1)), np.full(1, -220.0)])
    faces = np.stack([draw_crop(seed)[-1] for seed in range(16)])
    activations = np.maximum((faces / 128.0) ** 8 - 220, 0)
    cap = np.quantile(activations, 0.999)
    assert activations.max() > 4 * cap > 0
    capped = without_outliers(model)
    found = keras.Model(capped.input, capped.get_layer("first").output).predict(
        faces, verbose=0
    )
    np.testing.assert_allclose(found, np.minimum(activations, cap), rtol=1e-3)
