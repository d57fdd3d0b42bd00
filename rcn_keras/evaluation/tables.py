"""Numbers as text, and as rows of a results file."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

from rcn_keras.files import check_writable, read_csv, write_csv
from rcn_keras.provenance import record

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout

_KEY = ("model", "set", "protocol")

FEW = 10  # keypoints whose errors a line has room for

_COLUMNS = {
    "NME %": "nme",
    "95 % interval": "ci95",
    "FR 8 %": "failure_rate_8",
    "FR 10 %": "failure_rate_10",
    "AUC 10 %": "auc_10",
    "per keypoint %": "per_keypoint",
}
# Their 8 and 10 % are of a distance between two points, as that of the eyes; of a box's
# diagonal, which is several times as long, they would call next to nothing a failure.
_OF_A_DISTANCE = ("FR 8 %", "FR 10 %", "AUC 10 %")


def protocol_table(
    report: dict[str, Any],
    paper: dict[str, float],
    own: KeypointLayout | None = None,
) -> str:
    """A report (`reports.report`) as a table, the paper's row beside it.

    Args:
        report: dict.
        paper: dict, the paper's errors in percent by set, paper grid.
        own: `KeypointLayout` of one's own keypoints, whose unit of errors the table
            names; where it is a box, failure rates and area are left out.

    Returns:
        str, lines of equal columns.
    """
    columns = dict(_COLUMNS)
    if any(len(n["per_keypoint"]) > FEW for n in report["protocols"].values()):
        del columns["per keypoint %"]  # too many; they stand in the JSON
    if own and own.normalizer == "box":
        columns = {k: v for k, v in columns.items() if k not in _OF_A_DISTANCE}
    rows = [["protocol", *columns]]
    for protocol, numbers in report["protocols"].items():
        rows.append([protocol, *(_cell(numbers[key]) for key in columns.values())])
    if report["set"] in paper:
        label = {"afw": "AFW, 377 faces", "aflw": "AFLW"}.get(
            report["set"], report["set"].replace("300w_", "300-W ")
        )
        value = f"{paper[report['set']]:.2f}"
        empty = [""] * (len(columns) - 1)
        rows.append([f"paper ({label}, paper grid)", value, *empty])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        f"{report['model']} on {report.get('set_name', report['set'])}: "
        f"{report['faces']} {'instances' if own else 'faces'}"
    ]
    if own:
        lines.append(f"errors in percent of {own.unit}")
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        lines.append("  ".join(cells).rstrip())
    for protocol, numbers in report["protocols"].items():
        if "detected" in numbers:
            detected = f"{numbers['detected']} of {report['faces']} faces found"
            lines.append(f"{protocol}: {detected}; NME over those, the others fail")
        if "calibration_error" in numbers:
            gap = f"{numbers['calibration_error']:.2f} %"
            lines.append(f"{protocol}: expected calibration error of confidence {gap}")
    return "\n".join(lines)


def _cell(value):
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    return "-" if value is None else f"{value:.2f}"


def check_rows_file(path: pathlib.Path) -> None:
    """Whether rows can be put into a results file; better before the work than after.

    Raises:
        InputError: if it is another kind of file, or cannot be written.
    """
    check_writable(path.parent)
    _rows(path)


def _rows(path):
    return read_csv(path, _KEY, "a results file") if path.exists() else []


def write_rows(
    path: pathlib.Path, report: dict[str, Any], config: dict[str, Any]
) -> None:
    """Puts a report into a results file, a row a protocol; older rows of the same
    model, set and protocol are replaced.

    Args:
        path: path of a CSV file, made if missing.
        report: dict (`reports.report`).
        config: dict, the preset's configuration (recipe, seed, epochs, machine).
    """
    origin, recipe = record(), config.get("recipe", {})
    new = []
    for protocol, numbers in report["protocols"].items():
        low, high = numbers["ci95"]
        new.append(
            {
                "model": report["model"],
                "set": report["set"],
                "set_name": report.get("set_name", report["set"]),
                "protocol": protocol,
                "faces": report["faces"],
                "detected": numbers.get("detected", ""),
                "nme_percent": numbers["nme"],
                "ci95_low": low,
                "ci95_high": high,
                "failure_rate_8_percent": numbers["failure_rate_8"],
                "failure_rate_10_percent": numbers["failure_rate_10"],
                "auc_10_percent": numbers["auc_10"],
                "calibration_error_percent": numbers.get("calibration_error", ""),
                "paper_percent": config.get("paper", {}).get(report["set"], "")
                if protocol == "paper_grid"
                else "",
                "recipe_seed": recipe.get("seed", ""),
                "epochs": config.get("trained_epochs", ""),
                "training_minutes": config.get("training_minutes", ""),
                "trained_on": config.get("trained_on", {}).get("device", ""),
                "trained_by": config.get("trained_on", {}).get("command", ""),
                "device": origin["device"],
                "date": origin["date"],
                "command": origin["command"],
            }
        )
    keys = {tuple(row[k] for k in _KEY) for row in new}
    kept = [row for row in _rows(path) if tuple(row[k] for k in _KEY) not in keys]
    write_csv(path, kept + new)
