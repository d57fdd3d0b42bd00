"""Names for the types of arguments that many functions share."""

import os
from collections.abc import Callable
from typing import Any

PathLike = str | os.PathLike[str]

# An array or tensor of any backend, or a symbolic one: what `keras.ops` take and give.
Tensor = Any

# What Keras hands to `build`, `compute_output_shape`: a tuple, or a structure of them.
Shape = Any

# Called with the number of what is done and the number of all.
Progress = Callable[[int, int], object]

# Takes a line of text for whoever watches.
Echo = Callable[[str], object]

# `(H, W, 3)` uint8 RGB to boxes `(M, 4)` and scores `(M,)`; see `faces.detect`.
Detector = Callable[..., Any]
DetectorChoice = str | os.PathLike[str] | Detector | None
