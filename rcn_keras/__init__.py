"""Recombinator Networks (Honari et al., CVPR 2016) for Keras 3.

Letters in shapes: N batch, H and W map, K keypoints, R branches. Coordinates are
`(x, y)` in continuous pixels: pixel (i, j) covers [i, i+1) x [j, j+1).

Names are imported when they are first asked for. Where Keras is imported before this
package, what `.keras` files name is registered at once; otherwise `import
rcn_keras.models` before `keras.saving.load_model`.
"""

import importlib
import sys

from rcn_keras._lazy import lazily

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazily(__name__, __file__)

if sys.modules.get("keras"):
    for _module in ("models", "losses", "metrics"):
        importlib.import_module(f"{__name__}.{_module}")
