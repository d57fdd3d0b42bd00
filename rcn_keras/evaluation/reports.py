"""The errors of an evaluation as numbers: what JSON can hold, in percent."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras.data import three_hundred_w
from rcn_keras.evaluation.errors import calibration_error, summary

if TYPE_CHECKING:
    from rcn_keras.data.annotations import Face


CONFIDENT = ("subpixel", "subpixel_shift_corrected")


def subset_reports(
    name: str,
    faces: Sequence[Face],
    errors: dict[str, np.ndarray],
    confidence: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """The reports of 300-W, part by part (`data.three_hundred_w.subset_masks`).

    Args:
        name: str, of the model.
        faces: list of N `Face`.
        errors, confidence: as for `report`.

    Returns:
        list of dicts as from `report`.
    """
    reports = []
    for part, mask in three_hundred_w.subset_masks(faces).items():
        chosen_faces = itertools.compress(faces, mask)
        subsets = {face.attributes["subset"] for face in chosen_faces}
        counts = three_hundred_w.counts(faces, sorted(subsets))
        sure = None if confidence is None else confidence[mask]
        chosen = {protocol: values[mask] for protocol, values in errors.items()}
        one = report(name, f"300w_{part}", chosen, sure)
        reports.append(one | {"set_name": f"300-W {part} ({counts})"})
    return reports


def report(
    name: str,
    set_name: str,
    errors: dict[str, np.ndarray],
    confidence: np.ndarray | None = None,
) -> dict[str, Any]:
    """The numbers of an evaluation as what JSON can hold, in percent.

    Args:
        name: str, of the model.
        set_name: str.
        errors: dict, protocol to `(N, K)` errors; a row with infinities is a face that
            was not found, NaN never counts.
        confidence: `(N, K)`, or `None`: with it the sub-pixel protocols have
            `calibration_error`, of the claim that an error is below 10 %.
    """
    protocols = {}
    for protocol, values in errors.items():
        detected = ~np.isinf(values).any(axis=1)
        protocols[protocol] = summary(values[detected], missed=int((~detected).sum()))
        if protocol.startswith("detector"):
            protocols[protocol]["detected"] = int(detected.sum())
        if confidence is not None and protocol in CONFIDENT:
            known = ~np.isnan(values)
            gap = calibration_error(confidence[known], values[known] < 0.1)
            protocols[protocol]["calibration_error"] = round(100 * gap, 4)
    faces = len(next(iter(errors.values())))
    return {"model": name, "set": set_name, "faces": faces, "protocols": protocols}
