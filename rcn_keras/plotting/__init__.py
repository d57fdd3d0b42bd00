"""Keypoints on photographs, maps over faces, and the curves of training and evaluation.

Every `plot_` function returns a `matplotlib.figure.Figure` of its own, made without
pyplot, and saves it where `save=` is given, in the format of its suffix. The colours
are those of Okabe and Ito, which colour-blind readers tell apart as well. Errors come
as fractions of the interocular distance and are shown in percent.

Names are imported when they are first asked for: drawing needs neither Keras nor
matplotlib.
"""

from typing import TYPE_CHECKING

from rcn_keras._lazy import lazily

if TYPE_CHECKING:
    from rcn_keras.plotting.architecture import plot_architecture
    from rcn_keras.plotting.drawing import draw
    from rcn_keras.plotting.evaluation import (
        plot_branch_counts,
        plot_calibration,
        plot_ced,
        plot_difficulty,
        plot_failure_rate,
        plot_groups,
    )
    from rcn_keras.plotting.faces import (
        plot_comparison,
        plot_inputs,
        plot_keypoints,
        plot_mosaic,
    )
    from rcn_keras.plotting.figures import (
        BLACK,
        BLUE,
        CYCLE,
        GREEN,
        ORANGE,
        PINK,
        SKY,
        VERMILION,
        WHITE,
    )
    from rcn_keras.plotting.maps import (
        plot_branches,
        plot_heatmaps,
        plot_heatmaps_together,
    )
    from rcn_keras.plotting.tables import plot_table
    from rcn_keras.plotting.training import plot_convergence, plot_training

__all__ = [
    "BLACK",
    "BLUE",
    "CYCLE",
    "GREEN",
    "ORANGE",
    "PINK",
    "SKY",
    "VERMILION",
    "WHITE",
    "draw",
    "plot_architecture",
    "plot_branch_counts",
    "plot_branches",
    "plot_calibration",
    "plot_ced",
    "plot_comparison",
    "plot_convergence",
    "plot_difficulty",
    "plot_failure_rate",
    "plot_groups",
    "plot_heatmaps",
    "plot_heatmaps_together",
    "plot_inputs",
    "plot_keypoints",
    "plot_mosaic",
    "plot_table",
    "plot_training",
]

_MODULES = {
    "architecture": ["plot_architecture"],
    "drawing": ["draw"],
    "evaluation": [
        "plot_branch_counts",
        "plot_calibration",
        "plot_ced",
        "plot_difficulty",
        "plot_failure_rate",
        "plot_groups",
    ],
    "faces": ["plot_comparison", "plot_inputs", "plot_keypoints", "plot_mosaic"],
    "figures": [
        "BLACK",
        "BLUE",
        "CYCLE",
        "GREEN",
        "ORANGE",
        "PINK",
        "SKY",
        "VERMILION",
        "WHITE",
    ],
    "maps": ["plot_branches", "plot_heatmaps", "plot_heatmaps_together"],
    "tables": ["plot_table"],
    "training": ["plot_convergence", "plot_training"],
}

__getattr__ = lazily(
    __name__, {name: module for module, names in _MODULES.items() for name in names}
)
