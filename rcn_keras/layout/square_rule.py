"""How the network's input is cut out of a photograph, as data."""

import dataclasses

SQUARE_RULES = ("points", "eyes_mouth")


@dataclasses.dataclass(frozen=True)
class SquareRule:
    """How the network's input is cut out of a photograph (`faces.boxes`).

    Attributes:
        kind: `"points"`, the square around all points, enlarged (the paper's rule for
            68 points), or `"eyes_mouth"`, that around eyes and mouth corners, widened
            by the larger of eye distance and eye-mouth distance (its rule for 5).
        outer: float, size of the stored crop: sides of the square around the points,
            or of `"eyes_mouth"` the margin in those distances.
        inner: float, the same of the network's input.
        context: float, side of the stored crop in sides of the network's input where
            the input's square is given directly; `None` for `outer / inner`.

    Raises:
        ValueError: if `kind` is neither, or the sizes are not positive.
    """

    kind: str
    outer: float
    inner: float
    context: float = None  # pyright: ignore[reportAssignmentType]  (set below)

    def __post_init__(self):
        if self.kind not in SQUARE_RULES:
            raise ValueError(
                f"`kind` of a square rule must be one of {SQUARE_RULES}. "
                f"Received: kind={self.kind!r}"
            )
        if not 0 < self.inner <= self.outer:
            raise ValueError(
                "`inner` of a square rule must be above 0 and at most `outer`. "
                f"Received: inner={self.inner!r}, outer={self.outer!r}"
            )
        context = self.outer / self.inner if self.context is None else self.context
        object.__setattr__(self, "context", context)
        if not context >= 1:
            raise ValueError(
                "`context` of a square rule must be at least 1. "
                f"Received: context={self.context!r}"
            )
