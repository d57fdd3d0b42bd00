# The names of this room, as in `rcn_keras/__init__.pyi`.
from typing import Any

from rcn_keras.plotting.architecture import plot_architecture as plot_architecture
from rcn_keras.plotting.drawing import draw as draw
from rcn_keras.plotting.evaluation import plot_branch_counts as plot_branch_counts
from rcn_keras.plotting.evaluation import plot_calibration as plot_calibration
from rcn_keras.plotting.evaluation import plot_ced as plot_ced
from rcn_keras.plotting.evaluation import plot_difficulty as plot_difficulty
from rcn_keras.plotting.evaluation import plot_failure_rate as plot_failure_rate
from rcn_keras.plotting.evaluation import plot_groups as plot_groups
from rcn_keras.plotting.faces import plot_comparison as plot_comparison
from rcn_keras.plotting.faces import plot_inputs as plot_inputs
from rcn_keras.plotting.faces import plot_keypoints as plot_keypoints
from rcn_keras.plotting.faces import plot_mosaic as plot_mosaic
from rcn_keras.plotting.figures import BLACK as BLACK
from rcn_keras.plotting.figures import BLUE as BLUE
from rcn_keras.plotting.figures import CYCLE as CYCLE
from rcn_keras.plotting.figures import GREEN as GREEN
from rcn_keras.plotting.figures import ORANGE as ORANGE
from rcn_keras.plotting.figures import PINK as PINK
from rcn_keras.plotting.figures import SKY as SKY
from rcn_keras.plotting.figures import VERMILION as VERMILION
from rcn_keras.plotting.figures import WHITE as WHITE
from rcn_keras.plotting.maps import plot_branches as plot_branches
from rcn_keras.plotting.maps import plot_heatmaps as plot_heatmaps
from rcn_keras.plotting.maps import plot_heatmaps_together as plot_heatmaps_together
from rcn_keras.plotting.tables import plot_table as plot_table
from rcn_keras.plotting.training import plot_convergence as plot_convergence
from rcn_keras.plotting.training import plot_training as plot_training

__all__: list[str]

def __getattr__(name: str) -> Any: ...  # the modules
