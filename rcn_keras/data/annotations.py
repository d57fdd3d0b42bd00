"""What every reader gives: a face in a photograph with its keypoints."""

import dataclasses
import pathlib

import numpy as np

# Index pairs that trade places when a face is mirrored.
FLIP_PAIRS = {
    5: [[0, 1], [3, 4]],
    68: [[i, 16 - i] for i in range(8)]  # jaw
    + [[17 + i, 26 - i] for i in range(5)]  # brows
    + [[31, 35], [32, 34]]  # nostrils
    + [[36, 45], [37, 44], [38, 43], [39, 42], [40, 47], [41, 46]]  # eyes
    + [[48, 54], [49, 53], [50, 52], [59, 55], [58, 56]]  # lips, outside
    + [[60, 64], [61, 63], [67, 65]],  # and inside
}

# "Left" is the viewer's left; the 68 in the order of 300-W.
KEYPOINT_NAMES = {
    5: ["left_eye", "right_eye", "nose", "left_mouth_corner", "right_mouth_corner"],
    68: [
        f"{part}_{number}"
        for part, count in (
            ("jaw", 17),
            ("left_brow", 5),
            ("right_brow", 5),
            ("nose_bridge", 4),
            ("nostrils", 5),
            ("left_eye", 6),
            ("right_eye", 6),
            ("outer_lip", 12),
            ("inner_lip", 8),
        )
        for number in range(1, count + 1)
    ],
}


@dataclasses.dataclass(frozen=True)
class Face:
    """One annotated face.

    Attributes:
        image: path of the photograph.
        keypoints: `(K, 2)` float32, (x, y) in continuous photograph pixels (the centre
            of the top left pixel is (0.5, 0.5)). "Left" is the viewer's left.
        source: where the annotation stands, for error messages ("file:line").
        attributes: dict of what else the set tells of the face.
    """

    image: pathlib.Path
    keypoints: np.ndarray
    source: str
    attributes: dict = dataclasses.field(default_factory=dict)
