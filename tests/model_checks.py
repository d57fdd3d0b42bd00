"""What SumNet and RCN must both hold."""

import keras
import numpy as np
from layer_checks import to_numpy

from rcn_keras.losses import SpatialCrossentropy
from rcn_keras.models import BranchSpec

# The nine masks of Table 1, coarse to fine.
MASKS = [
    (1, 0, 0, 0),
    (0, 1, 0, 0),
    (1, 1, 0, 0),
    (0, 0, 1, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 1, 1, 1),
    (1, 0, 0, 1),
    (1, 1, 1, 1),
]

# Two levels, for what does not hang on the size.
SMALL = [BranchSpec(4, 3, (3, 4), (3, 3)), BranchSpec(8, 2, (2,), (3,))]


def images(count, side=80, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 255, (count, side, side, channels)).astype("float32")


def conv(kernel, *widths):
    """Parameters of a chain of convolutions: weights and biases."""
    pairs = zip(widths, widths[1:])
    return sum(kernel**2 * before * after + after for before, after in pairs)


def feature_maps(model, name, x):
    """The output of a named layer."""
    part = keras.Model(model.input, model.get_layer(name).output)
    return to_numpy(part(x))


def check_one_step(model, keypoints=5):
    """One step of plain descent moves every trainable weight by a finite amount."""
    rng = np.random.default_rng(1)
    y = rng.uniform(0, 80, (2, keypoints, 2)).astype("float32")
    optimizer = keras.optimizers.SGD(1.0)
    model.compile(optimizer, SpatialCrossentropy(), run_eagerly=True)
    before = [to_numpy(w) for w in model.trainable_weights]
    loss = model.train_on_batch(images(2), y)
    assert np.isfinite(loss)
    for weight, old in zip(model.trainable_weights, before):
        gradient = old - to_numpy(weight)
        assert np.isfinite(gradient).all(), weight.path
        assert gradient.any(), weight.path


def check_untrained(build, mask, frozen, trained):
    """Under a mask that leaves branches untrained the network is the whole one, and a
    step moves what is trained and nothing else.

    Args:
        build: `build_rcn` or `build_sumnet`.
        frozen: the names of the layers that are not trained.
        trained: names of some of the others.
    """
    model = build(4, mask=mask, masked="untrained", trunk_l2=1.0, branch_l2=1.0)
    assert model.count_params() == build(4).count_params()
    names = {layer.name for layer in model.layers if not layer.trainable}
    assert names == frozen
    penalised = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    assert len(model.losses) == len(penalised) - len(frozen)
    before = {name: model.get_layer(name).get_weights() for name in frozen}
    check_one_step(model)
    for name, weights in before.items():
        assert weights[0].any(), name
        for old, new in zip(weights, model.get_layer(name).get_weights()):
            np.testing.assert_array_equal(new, old)
    weights = {w.path.split("/")[-2] for w in model.trainable_weights}
    assert set(trained) <= weights and not weights & frozen


def check_saving(model, folder):
    """A `.keras` file loads with nothing registered by the caller."""
    x = images(2, *model.input_shape[2:])
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(model(x)))
    trained = [[layer.trainable for layer in m.layers] for m in (model, loaded)]
    assert trained[0] == trained[1]


def check_batch_independence(model):
    x = images(3, *model.input_shape[2:])
    x[1] /= 30
    together = to_numpy(model(x))
    alone = np.concatenate([to_numpy(model(x[n : n + 1])) for n in range(3)])
    np.testing.assert_allclose(together, alone, atol=2e-5 * np.abs(alone).max())


def check_l2(build):
    """Each factor adds the sum of squares of its own group's kernels, no biases."""
    model = build(branch_specs=SMALL, trunk_l2=0.5, branch_l2=0.25)
    for weight in model.trainable_weights:
        weight.assign(weight + 0.1)
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    expected = 0
    for layer in convolutions:
        factor = 0.5 if layer.name.startswith("trunk") else 0.25
        expected += factor * (to_numpy(layer.kernel).astype("float64") ** 2).sum()
    assert len(convolutions) >= 6
    np.testing.assert_allclose(sum(map(float, model.losses)), expected, rtol=1e-5)
    assert not build(branch_specs=SMALL).losses
