"""The learning rate of a training."""

import keras
from keras import ops

from rcn_keras._serialization import register


@register
class WarmRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """A rise and a fall along a cosine, again and again, each half as high.

    Loshchilov and Hutter, "SGDR", ICLR 2017; `keras.optimizers.schedules`'
    `CosineDecayRestarts` has no rise.

    Args:
        learning_rate: float, the highest of the first cycle.
        warmup_steps: int, steps of the rise from 0, in each cycle.
        cycle_steps: int, steps of a cycle.
        final_rate: float, the end of a cycle's fall as a part of its highest rate.
    """

    def __init__(self, learning_rate, warmup_steps, cycle_steps, final_rate):
        super().__init__()
        self.settings = {
            "learning_rate": learning_rate,
            "warmup_steps": warmup_steps,
            "cycle_steps": cycle_steps,
            "final_rate": final_rate,
        }
        self.cycle = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            warmup_target=learning_rate,
            warmup_steps=warmup_steps,
            decay_steps=max(cycle_steps - warmup_steps, 1),
            alpha=final_rate,
        )

    def __call__(self, step):
        step = ops.cast(step, "float32")
        length = float(self.settings["cycle_steps"])
        # The last step of a cycle is the fall's end, not the next one's beginning.
        cycle = ops.floor(ops.maximum(step - 1.0, 0.0) / length)
        return self.cycle(step - cycle * length) * 0.5**cycle

    def get_config(self):
        return dict(self.settings)
