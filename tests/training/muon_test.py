import keras
import numpy as np
import pytest

from rcn_keras.models import build_rcn
from rcn_keras.training.muon import ConvolutionMuon


def stepped(name, gradient, **settings):
    """The first step of a variable of one layer."""
    layer = keras.layers.Conv2D(gradient.shape[-1], 3, use_bias=False, name=name)
    layer.build((None, 8, 8, gradient.shape[2]))
    before = layer.get_weights()[0]
    optimizer = ConvolutionMuon(0.02, **settings)
    optimizer.build(layer.trainable_variables)
    optimizer.apply_gradients([(gradient, layer.trainable_variables[0])])
    return before - layer.get_weights()[0]


@pytest.mark.parametrize("channels, filters", [(16, 4), (1, 32)])
def test_a_kernel_s_step_is_nearly_orthogonal_whatever_the_gradient_s_scale(
    channels, filters
):
    gradient = np.random.default_rng(0).normal(size=(3, 3, channels, filters))
    steps = [stepped("branch_80_1", (s * gradient).astype("float32")) for s in (1, 99)]
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-5)
    step = steps[0].reshape(-1, filters)
    singular = np.linalg.svd(step, compute_uv=False)
    wanted = 0.02 * 0.2 * np.sqrt(max(step.shape))
    # Five Newton-Schulz steps bring singular values to 1 within a third or so.
    assert (singular > 0.6 * wanted).all() and (singular < 1.3 * wanted).all()
    # Downhill: along the gradient's own singular vectors.
    assert (step * gradient.reshape(-1, filters)).sum() > 0


def newton_schulz(matrix):
    """Five steps of the quintic iteration of Jordan et al. towards `U V'`."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(5):
        square = x.T @ x
        x = 3.4445 * x + x @ (-4.7750 * square + 2.0315 * square @ square)
    return x


def test_two_steps_equal_numpy():
    gradients = np.random.default_rng(0).normal(size=(2, 3, 3, 4, 5))
    layer = keras.layers.Conv2D(5, 3, use_bias=False, name="branch_80_1")
    layer.build((None, 8, 8, 4))
    optimizer = ConvolutionMuon(0.02)
    optimizer.build(layer.trainable_variables)
    momentum, expected = np.zeros((36, 5)), layer.get_weights()[0].reshape(36, 5)
    for gradient in gradients.astype("float32"):
        optimizer.apply_gradients([(gradient, layer.trainable_variables[0])])
        gradient = gradient.reshape(36, 5).astype("float64")
        momentum = 0.95 * momentum + gradient
        # Nesterov's: the gradient and where the momentum will be.
        step = newton_schulz(gradient + 0.95 * momentum)
        expected = expected - 0.02 * 0.2 * np.sqrt(36) * step
    found = layer.get_weights()[0].reshape(36, 5)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_maps_convolution_is_stepped_by_adam():
    gradient = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype("float32")
    step = stepped("maps", gradient)
    # Adam's first step is the rate, whatever the gradient's size.
    np.testing.assert_allclose(np.abs(step), 0.3 * 0.02, rtol=1e-3)


def test_it_is_saved_with_its_model(tmp_path):
    model = build_rcn(branches=4)
    model.compile(ConvolutionMuon(0.01), "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    optimizer = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert type(optimizer) is ConvolutionMuon
    assert optimizer.weight_decay is None and optimizer.adam_weight_decay is None
