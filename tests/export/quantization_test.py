import keras
import numpy as np
import pytest

from rcn_keras.data.synthetic import draw_crop
from rcn_keras.export.quantization import without_outliers
from rcn_keras.layout import FACE_5
from rcn_keras.models import KeypointModel
from rcn_keras.presets import load_preset


@pytest.mark.parametrize("name", ["rcn6_mtfl", "sumnet6_mtfl"])
def test_a_network_without_outliers_stays_as_it_is(name):
    model = load_preset(name).model
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
