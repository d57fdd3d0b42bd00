"""Recombinator Networks (Honari et al., CVPR 2016) for Keras 3.

Letters in shapes: N batch, H and W map, K keypoints, R branches. Coordinates are
`(x, y)` in continuous pixels: pixel (i, j) covers [i, i+1) x [j, j+1).
"""

from rcn_keras.models import BranchSpec, build_rcn, build_sumnet

__version__ = "0.1.0"
