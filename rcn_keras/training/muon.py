"""Muon for convolutions: a step of equal length in every direction of a kernel."""

from typing import Any

import keras
from keras import ops

from rcn_keras._serialization import register

# The rate of what Adam steps (biases, scales, the maps' convolution), by the kernels'.
ADAM_RATIO = 0.3


@register
class ConvolutionMuon(keras.optimizers.Muon):
    """`keras.optimizers.Muon`, which takes matrices only, for convolution kernels.

    A kernel `(k, k, C, F)` is stepped as the matrix `(k * k * C, F)`. Everything else,
    and the convolutions that give keypoint maps (named `maps...`), is stepped by Adam,
    as Muon does with biases and with the last layer.

    Args:
        learning_rate: float or schedule, of the kernels; Adam's is 0.3 of it.

    Reference:
        Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024;
        the step's length as in Liu et al., Muon is Scalable for LLM Training, 2025.
    """

    def __init__(
        self, learning_rate: Any = 0.02, name: str = "convolution_muon", **kwargs: Any
    ):
        settings = {
            "adam_lr_ratio": ADAM_RATIO,
            "weight_decay": None,
            "adam_weight_decay": None,
        }
        super().__init__(learning_rate, name=name, **(settings | kwargs))

    def _should_use_adamw(self, variable):
        layer = variable.path.split("/")[-2]
        return len(variable.shape) != 4 or layer.startswith("maps")

    def _muon_update_step(self, gradient, variable, lr, m):
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        step = ops.add(gradient, self.momentum * m)
        step = ops.reshape(step, (-1, variable.shape[-1]))
        step = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(step, 5))
        self.assign_sub(variable, ops.reshape(step, variable.shape))
