"""Numbers as text."""

_COLUMNS = {
    "NME %": "nme",
    "95 % interval": "ci95",
    "FR 8 %": "failure_rate_8",
    "FR 10 %": "failure_rate_10",
    "AUC 10 %": "auc_10",
    "per keypoint %": "per_keypoint",
}


def protocol_table(report, paper):
    """A report (`protocols.report`) as a table, the paper's row beside it.

    Args:
        report: dict.
        paper: dict, the paper's errors in percent by set, paper grid.

    Returns:
        str, lines of equal columns.
    """
    rows = [["protocol", *_COLUMNS]]
    for protocol, numbers in report["protocols"].items():
        rows.append([protocol, *(_cell(numbers[key]) for key in _COLUMNS.values())])
    if report["set"] in paper:
        label = {"afw": "AFW, 377 faces"}.get(report["set"], report["set"].upper())
        value = f"{paper[report['set']]:.2f}"
        rows.append([f"paper ({label}, paper grid)", value] + [""] * 5)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [f"{report['model']} on {report['set']}: {report['faces']} faces"]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        lines.append("  ".join(cells).rstrip())
    for protocol, numbers in report["protocols"].items():
        if "detected" in numbers:
            found = f"{numbers['detected']} of {report['faces']} faces found"
            lines.append(f"{protocol}: {found}; NME over those, the others fail")
    return "\n".join(lines)


def _cell(value):
    if isinstance(value, list):
        return " ".join(f"{number:.2f}" for number in value)
    return f"{value:.2f}"
