"""Which keypoints a network predicts, and everything that depends on it, as data.

A `KeypointLayout` says how the points are called, which of them trade places in a
mirror, which lines they lie on, in what unit errors are measured, and how the network's
input is cut out of a photograph around them.
"""

import dataclasses
import json
import re
from collections.abc import Iterable
from typing import Any

from rcn_keras.layout.square_rule import SquareRule

OUTSIDE_RULES = ("mask", "clip")


@dataclasses.dataclass(frozen=True)
class KeypointLayout:
    """The keypoints of a network, K of them, and what depends on which they are.

    Attributes:
        name: str, of the layout.
        names: K different str, in the order of the network's maps.
        mirror_pairs: pairs of indices that trade places in a mirrored picture; none
            where pictures cannot be mirrored.
        outlines: dict, name of a part to the indices along its line, for drawing; a
            line that ends where it began is closed.
        normalizer: the unit of errors: two groups of indices, the distance between
            whose centres it is (of a face the eyes), or `"box"`, the diagonal of the
            box around the known points.
        square: `SquareRule`.
        detector_square: `(shift_x, shift_y, scale)` from a face box, as MTCNN draws
            it, to the network's square (`faces.boxes.box_squares`), or `None`: boxes
            must be given, and are taken to lie around the points.
        outside: what training does with a keypoint outside the network's input:
            `"mask"` leaves it out, `"clip"` moves it to the border.

    Raises:
        ValueError: if the parts do not fit together; the message says what was wanted.

    Example:
        >>> quadrilateral = KeypointLayout(
        ...     "card", ("nw", "ne", "se", "sw"), normalizer="box",
        ...     outlines={"edge": (0, 1, 2, 3, 0)},
        ... )
        >>> rcn_keras.build_rcn(layout=quadrilateral).output_shape
        (None, 80, 80, 4)
    """

    name: str
    names: tuple[str, ...]
    mirror_pairs: tuple[tuple[int, int], ...] = ()
    outlines: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    normalizer: tuple[tuple[int, ...], tuple[int, ...]] | str = "box"
    square: SquareRule = SquareRule("points", 1.7, 1.3)
    detector_square: tuple[float, float, float] | None = None
    outside: str = "mask"

    def __post_init__(self):
        # As JSON has them they are lists.
        self._set("names", tuple(self.names))
        self._set("mirror_pairs", tuple(map(tuple, self.mirror_pairs)))
        self._set("outlines", {k: tuple(v) for k, v in self.outlines.items()})
        if self.normalizer != "box":
            self._set("normalizer", tuple(map(tuple, self.normalizer)))
        if self.detector_square is not None:
            self._set("detector_square", tuple(self.detector_square))
        self._check_names()
        self._check_indices()
        self._check_rules()

    def _set(self, field, value):
        object.__setattr__(self, field, value)

    def _check_names(self):
        strings = all(isinstance(name, str) and name for name in self.names)
        if not self.names or not strings or len(set(self.names)) != self.count:
            raise ValueError(
                "`names` must be different strings, one for each keypoint. "
                f"Received: names={self.names!r}"
            )

    def _check_indices(self):
        groups = () if self.normalizer == "box" else self.normalizer
        if self.normalizer != "box" and (len(groups) != 2 or not all(groups)):
            raise ValueError(
                "`normalizer` must be two groups of keypoints, or 'box'. "
                f"Received: normalizer={self.normalizer!r}"
            )
        if any(len(pair) != 2 for pair in self.mirror_pairs):
            raise ValueError(
                "`mirror_pairs` must be pairs of keypoints. "
                f"Received: mirror_pairs={self.mirror_pairs!r}"
            )
        indices = {
            "mirror_pairs": self.mirror_pairs,
            "outlines": self.outlines.values(),
            "normalizer": groups,
        }
        for field, lists in indices.items():
            for index in (index for part in lists for index in part):
                if not isinstance(index, int) or not 0 <= index < self.count:
                    raise ValueError(
                        f"`{field}` must hold indices of keypoints, 0 to "
                        f"{self.count - 1}. Received: {index!r}"
                    )
        paired = [index for pair in self.mirror_pairs for index in pair]
        if len(set(paired)) != len(paired):
            raise ValueError(
                "`mirror_pairs` must name a keypoint once. "
                f"Received: mirror_pairs={self.mirror_pairs!r}"
            )

    def _check_rules(self):
        if self.outside not in OUTSIDE_RULES:
            raise ValueError(
                f"`outside` must be one of {OUTSIDE_RULES}. "
                f"Received: outside={self.outside!r}"
            )
        if self.detector_square is not None and len(self.detector_square) != 3:
            raise ValueError(
                "`detector_square` must be (shift_x, shift_y, scale), or None. "
                f"Received: detector_square={self.detector_square!r}"
            )
        if self.square.kind == "eyes_mouth" and (
            self.count != 5 or self.detector_square is None
        ):
            raise ValueError(
                "a square by the rule 'eyes_mouth' is of 5 keypoints (both eyes, nose, "
                "both mouth corners) and needs a `detector_square`. "
                f"Received: {self.count} keypoints, "
                f"detector_square={self.detector_square!r}"
            )

    @property
    def count(self) -> int:
        """K, how many keypoints there are."""
        return len(self.names)

    @property
    def unit(self) -> str:
        """The unit of errors in words."""
        if isinstance(self.normalizer, str):  # "box"
            return "the diagonal of the box around the known keypoints"
        ends = ["+".join(self.names[i] for i in part) for part in self.normalizer]
        return f"the distance between {' and '.join(ends)}"

    def to_dict(self) -> dict:
        """The layout as what JSON can hold; `from_dict` is the inverse."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, fields: dict) -> "KeypointLayout":
        """A layout from what `to_dict` gives.

        Raises:
            ValueError: if a field is missing, unknown or of a wrong kind.
        """
        try:
            fields = dict(fields)
            if "square" in fields:
                fields["square"] = SquareRule(**fields["square"])
            return cls(**fields)
        except (TypeError, AttributeError) as error:
            raise ValueError(
                "a layout must be an object with `name`, `names` and further fields of "
                f"`KeypointLayout`. Received: {str(fields)[:200]} ({error})"
            ) from None

    def to_json(self) -> str:
        """The layout as the text of a JSON file."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "KeypointLayout":
        """A layout from the text of a JSON file.

        Raises:
            ValueError: if it is no JSON, or `from_dict` raises.
        """
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"a layout must be a JSON object. Received: {text[:40]!r} ({error})"
            ) from None
        return cls.from_dict(fields)

    @classmethod
    def from_coco_category(cls, category: dict, **fields: Any) -> "KeypointLayout":
        """The layout of a category of a COCO file of keypoints.

        Names are those of the category, lines for drawing its `skeleton` (1-based
        pairs), mirror pairs as by `mirror_pairs_by_name`.

        Args:
            category: dict with `name`, `keypoints` and perhaps `skeleton`.
            **fields: further fields of the layout, which override these.

        Raises:
            ValueError: if the category has no `keypoints`, or a layout does not hold.
        """
        names = category.get("keypoints")
        if not isinstance(names, (list, tuple)):
            raise ValueError(
                "a COCO category must have a list `keypoints` of names. "
                f"Received: {str(category)[:200]}"
            )
        parts = {
            "name": str(category.get("name", "keypoints")),
            "names": tuple(map(str, names)),
            "mirror_pairs": mirror_pairs_by_name(names),
            "outlines": {
                f"edge_{number}": (first - 1, last - 1)
                for number, (first, last) in enumerate(category.get("skeleton", ()), 1)
            },
        }
        return cls(**parts | fields)


def mirror_pairs_by_name(names: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Pairs of indices whose names differ by `left` and `right` alone, or by `l` and
    `r` as a word of their own.

    Example:
        >>> mirror_pairs_by_name(["left_eye", "nose", "right_eye"])
        ((0, 2),)
    """
    index = {str(name).lower(): i for i, name in enumerate(names)}
    pairs = []
    for name, left in index.items():
        mirrored = re.sub(r"(?<![a-z])l(?![a-z])", "r", name.replace("left", "right"))
        right = index.get(mirrored)
        if right is not None and right != left:
            pairs.append((left, right))
    return tuple(pairs)
