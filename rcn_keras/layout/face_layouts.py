"""The layouts of faces: MTFL's five points and 300-W's 68."""

from rcn_keras.layout.keypoint_layout import KeypointLayout
from rcn_keras.layout.square_rule import SquareRule

# MTFL's five points; "left" is the viewer's left. The context is the median of MTFL's
# training split, the constants are fitted on it (benchmarks/fit_detector_box.py).
FACE_5 = KeypointLayout(
    name="mtfl5",
    names=("left_eye", "right_eye", "nose", "left_mouth_corner", "right_mouth_corner"),
    mirror_pairs=((0, 1), (3, 4)),
    normalizer=((0,), (1,)),
    square=SquareRule("eyes_mouth", outer=1.25, inner=0.95, context=1.2),
    detector_square=(0.002, 0.077, 1.260),
    outside="clip",
)


# Parts of 300-W's 68 points, in their order, and whether their line is closed.
_PARTS = {
    "jaw": (17, False),
    "left_brow": (5, False),
    "right_brow": (5, False),
    "nose_bridge": (4, False),
    "nostrils": (5, False),
    "left_eye": (6, True),
    "right_eye": (6, True),
    "outer_lip": (12, True),
    "inner_lip": (8, True),
}


def _outlines():
    outlines, start = {}, 0
    for part, (count, closed) in _PARTS.items():
        line = range(start, start + count)
        outlines[part] = (*line, start) if closed else tuple(line)
        start += count
    return outlines


# 300-W's 68 points. An eye centre is the mean of the eye's two corners, as in the
# paper's code. The detector's constants are fitted as above.
FACE_68 = KeypointLayout(
    name="ibug68",
    names=tuple(
        f"{part}_{number}"
        for part, (count, _) in _PARTS.items()
        for number in range(1, count + 1)
    ),
    mirror_pairs=(
        *((i, 16 - i) for i in range(8)),  # jaw
        *((17 + i, 26 - i) for i in range(5)),  # brows
        *((31, 35), (32, 34)),  # nostrils
        *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),  # eyes
        *((48, 54), (49, 53), (50, 52), (59, 55), (58, 56)),  # lips, outside
        *((60, 64), (61, 63), (67, 65)),  # and inside
    ),
    outlines=_outlines(),
    normalizer=((36, 39), (42, 45)),
    square=SquareRule("points", outer=1.7, inner=1.3),
    detector_square=(0.011, 0.156, 1.228),
    outside="mask",
)


# What networks, files and arrays are taken to be that only say how many keypoints they
# have.
FACES = {layout.count: layout for layout in (FACE_5, FACE_68)}


def chosen_layout(keypoints: int, layout: KeypointLayout | None) -> KeypointLayout:
    """The layout that is given, or else that of a face with so many keypoints.

    Raises:
        ValueError: if none is given and so many keypoints are no layout of ours.
    """
    if layout is not None:
        return layout
    if keypoints not in FACES:
        raise ValueError(
            f"a `layout` (`KeypointLayout`) is needed for keypoints other than "
            f"{' or '.join(map(str, FACES))}. Received: keypoints={keypoints!r}"
        )
    return FACES[keypoints]
