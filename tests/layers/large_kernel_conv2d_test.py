import keras
import numpy as np
import pytest
from keras import ops
from layer_checks import run_layer_test, to_numpy

from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.layers import LargeKernelConv2D
from rcn_keras.layers.large_kernel_conv2d import TransformedConv2D, inference_model

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
# Map, kernel: odd, even, oblong, larger than the map, one cell.
SIZES = [
    ((12, 9), 7),
    ((9, 12), 6),
    ((10, 7), (3, 8)),
    ((5, 6), 13),
    ((4, 3), (9, 14)),
    ((6, 6), 1),
]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def difference(found, wanted):
    found, wanted = to_numpy(found), to_numpy(wanted)
    return np.abs(found - wanted).max() / np.abs(wanted).max()


def oracle(maps, kernel, bias):
    """Each output as the sum that it is, in float64."""
    height, width = kernel.shape[:2]
    top, left = (height - 1) // 2, (width - 1) // 2
    padding = [(0, 0), (top, height - 1 - top), (left, width - 1 - left), (0, 0)]
    padded = np.pad(maps.astype("float64"), padding)
    out = np.zeros((*maps.shape[:3], kernel.shape[3])) + bias
    for i, j in np.ndindex(*maps.shape[1:3]):
        window = padded[:, i : i + height, j : j + width]
        out[:, i, j] += np.einsum("nhwc,hwcf->nf", window, kernel)
    return out


def pair(size, kernel_size, **arguments):
    """A `LargeKernelConv2D` and the `Conv2D` of the same weights."""
    arguments = {"bias_initializer": "random_normal"} | arguments
    direct = keras.layers.Conv2D(4, kernel_size, padding="same", **arguments)
    layer = LargeKernelConv2D(4, kernel_size, **arguments)
    direct.build((None, *size, 3))
    layer.build((None, *size, 3))
    layer.set_weights(direct.get_weights())
    return layer, direct


def network():
    """Two of them, one inside a model that is used twice."""
    inner = keras.Sequential(
        [
            keras.Input((8, 9, 3)),
            LargeKernelConv2D(3, 5, use_bias=False),
            keras.layers.BatchNormalization(),
        ],
        name="inner",
    )
    inputs = keras.Input((8, 9, 3), name="maps")
    x = LargeKernelConv2D(3, 5, activation="tanh", name="large")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inner(inner(x))))
    model.compile("sgd", "mse", jit_compile=not ON_TENSORFLOW)
    return model


@pytest.mark.parametrize("size, kernel_size", SIZES)
def test_equals_sums(size, kernel_size):
    layer, _ = pair(size, kernel_size)
    maps = draw(2, *size, 3)
    assert difference(layer(maps), oracle(maps, *layer.get_weights())) < 1e-6


@pytest.mark.parametrize("size, kernel_size", SIZES[:4])
def test_a_training_step_equals_that_of_conv2d(size, kernel_size):
    maps, target = draw(2, *size, 3), draw(2, *size, 4, seed=1)
    scale = draw(3, seed=2)  # ahead of the layer: its step shows the inputs' gradient
    steps = []
    for layer in pair(size, kernel_size, activation="tanh"):
        ahead = keras.layers.Conv2D(3, 1, use_bias=False)
        model = keras.Sequential([keras.Input((*size, 3)), ahead, layer])
        ahead.set_weights([np.diag(scale)[None, None]])
        model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=not ON_TENSORFLOW)
        before = model.get_weights()
        model.train_on_batch(maps, target)
        steps.append([b - a for b, a in zip(before, model.get_weights())])
    for found, wanted in zip(*steps):
        assert difference(found, wanted) < 1e-5


def test_at_the_size_of_the_paper():
    layer = LargeKernelConv2D(5, 45, kernel_initializer="he_normal")
    maps = draw(1, 80, 80, 4)
    assert difference(layer(maps), oracle(maps, *layer.get_weights())) < 2e-6


@pytest.mark.parametrize("method", ["fft", "direct"])
def test_layer(method, tmp_path):
    arguments = {"filters": 4, "kernel_size": (5, 5), "method": method}
    arguments |= {"activation": "relu", "use_bias": True}
    maps = draw(2, 8, 9, 3)
    run_layer_test(LargeKernelConv2D, arguments, maps, tmp_path, float32=False)


def test_method_may_be_switched():
    layer, direct = pair((8, 9), 5)
    maps = draw(2, 8, 9, 3)
    through_frequencies = to_numpy(layer(maps))
    layer.method = "direct"
    np.testing.assert_array_equal(to_numpy(layer(maps)), to_numpy(direct(maps)))
    assert 0 < difference(through_frequencies, direct(maps)) < 1e-6
    assert layer.get_config()["method"] == "direct"


def test_samples_do_not_mix():
    layer, _ = pair((8, 9), 5)
    maps = draw(4, 8, 9, 3)
    spoiled = maps.copy()
    spoiled[:3] *= 1e6
    np.testing.assert_array_equal(to_numpy(layer(spoiled))[3], to_numpy(layer(maps))[3])


def test_a_mixed_policy_rounds_at_both_ends_only():
    with dtype_policy("mixed_bfloat16"):
        layer, _ = pair((8, 9), 7)
        assert layer.kernel.dtype == "float32"
        found = layer(draw(2, 8, 9, 3))
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    wanted = oracle(draw(2, 8, 9, 3), *layer.get_weights())
    assert difference(ops.cast(found, "float32"), wanted) < 0.02


def test_inference_model_predicts_the_same():
    model = network()
    maps = draw(4, 8, 9, 3)
    model.train_on_batch(maps, draw(4, 8, 9, 3, seed=1))  # moves all weights
    copy = inference_model(model)
    layers = [*copy.layers, *copy.get_layer("inner").layers]
    kinds = [type(layer) for layer in layers]
    assert kinds.count(TransformedConv2D) == 2 and LargeKernelConv2D not in kinds
    for _ in range(2):
        found, wanted = copy.predict_on_batch(maps), model.predict_on_batch(maps)
        assert difference(found, wanted) < 1e-6
    assert difference(copy(maps[:1]), wanted[:1]) < 1e-6
    assert copy.output_shape == model.output_shape


def test_inference_model_is_a_copy_and_no_transform_goes_stale():
    model = network()
    maps, target = draw(4, 8, 9, 3), draw(4, 8, 9, 3, seed=1)
    copy = inference_model(model)
    frozen = copy.predict_on_batch(maps)
    assert difference(frozen, model.predict_on_batch(maps)) < 1e-6

    model.train_on_batch(maps, target)
    trained = model.predict_on_batch(maps)
    assert difference(trained, frozen) > 1e-3
    np.testing.assert_array_equal(copy.predict_on_batch(maps), frozen)
    assert difference(inference_model(model).predict_on_batch(maps), trained) < 1e-6

    model.set_weights([2 * weight for weight in model.get_weights()])
    doubled = model.predict_on_batch(maps)
    assert difference(doubled, trained) > 1e-3
    assert difference(inference_model(model).predict_on_batch(maps), doubled) < 1e-6
    np.testing.assert_array_equal(copy.predict_on_batch(maps), frozen)


def test_inference_model_leaves_direct_layers_alone():
    model = network()
    model.get_layer("large").method = "direct"
    copy = inference_model(model)
    assert isinstance(copy.get_layer("large"), LargeKernelConv2D)
    assert copy.get_layer("large").method == "direct"
    maps = draw(2, 8, 9, 3)
    assert difference(copy(maps), model(maps)) < 1e-6


def test_inference_model_under_a_mixed_policy():
    with dtype_policy("mixed_bfloat16"):
        model = network()
        copy = inference_model(model)
    maps = draw(2, 8, 9, 3)
    assert copy.get_layer("large").transform.dtype == "float32"
    assert (
        keras.backend.standardize_dtype(copy.get_layer("large")(maps).dtype)
        == "bfloat16"
    )
    assert (
        difference(
            ops.cast(copy.get_layer("large")(maps), "float32"),
            ops.cast(model.layers[1](maps), "float32"),
        )
        < 0.02
    )


def test_a_transform_is_never_saved(tmp_path):
    model = network()
    model.train_on_batch(draw(2, 8, 9, 3), draw(2, 8, 9, 3))
    inference_model(model)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert [w.shape for w in loaded.weights] == [w.shape for w in model.weights]
    copy = inference_model(model)
    with pytest.raises(NotImplementedError, match="save the model that it was made"):
        copy.save(tmp_path / "copy.keras")
    with pytest.raises(NotImplementedError, match="save the model that it was made"):
        copy.save_weights(tmp_path / "copy.weights.h5")


@pytest.mark.skipif(not ON_TENSORFLOW, reason="a SavedModel is TensorFlow's")
@pytest.mark.parametrize("made", [lambda model: model, inference_model])
def test_saved_model(made, tmp_path):
    import tensorflow as tf

    model = network()
    exported = made(model)
    archive = keras.export.ExportArchive()
    archive.track(exported)
    signature = [tf.TensorSpec((None, 8, 9, 3), name="maps")]
    archive.add_endpoint("serve", exported.call, input_signature=signature)
    archive.write_out(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    for count in (1, 3):
        maps = draw(count, 8, 9, 3)
        assert difference(loaded.serve(maps), model(maps)) < 1e-6
    # Counted in bytes: kernels, or their transforms instead of them.
    files = (tmp_path / "saved" / "variables").iterdir()
    held = sum(file.stat().st_size for file in files)
    weights = 4 * sum(int(np.prod(weight.shape)) for weight in exported.weights)
    assert weights < held < weights + 20_000


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "winograd"}, "`method` must be one of .*'winograd'"),
        ({"strides": 2}, r"`strides` must be \(1, 1\). Received: strides=\(2, 2\)"),
        ({"padding": "valid"}, "`padding` must be 'same'. Received: padding='valid'"),
        ({"dilation_rate": 2}, r"`dilation_rate` must be \(1, 1\)"),
        ({"groups": 2}, "`groups` must be 1. Received: groups=2"),
        ({"data_format": "channels_first"}, "`data_format` must be 'channels_last'"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        LargeKernelConv2D(4, 5, **arguments)


def test_the_map_must_have_a_size():
    with pytest.raises(ValueError, match="fixed size. Received: input_shape="):
        LargeKernelConv2D(4, 5)(keras.Input((None, 80, 3)))
    LargeKernelConv2D(4, 5, method="direct")(keras.Input((None, 80, 3)))
    with pytest.raises(ValueError, match="must be one of"):
        LargeKernelConv2D(4, 5).method = "fourier"
