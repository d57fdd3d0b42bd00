"""What every reader gives: a face in a photograph with its keypoints."""

import dataclasses
import pathlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Face:
    """One annotated face.

    Attributes:
        image: path of the photograph.
        keypoints: `(K, 2)` float32, (x, y) in continuous photograph pixels (the centre
            of the top left pixel is (0.5, 0.5)). "Left" is the viewer's left.
        source: where the annotation stands, for error messages ("file:line").
        attributes: dict of the other labels of the face.
    """

    image: pathlib.Path
    keypoints: np.ndarray
    source: str
    attributes: dict = dataclasses.field(default_factory=dict)
