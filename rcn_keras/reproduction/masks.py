"""Table 1's masks, which the paper and its code read in different ways."""

from typing import Any

from rcn_keras._types import PathLike
from rcn_keras.files import write_csv
from rcn_keras.training.recipes import RECIPES

VALIDATION = "validation_paper_grid"


def reading(arguments: dict[str, Any]) -> str:
    """How a network of Table 1 reads its mask and the alpha of Eq. 1, in words.

    Args:
        arguments: dict, of `build_sumnet` or `build_rcn`.
    """
    words = [arguments.get("masked", "absent")]
    if arguments.get("weight_per_pixel"):
        words.append("alpha per pixel")
    return ", ".join(words)


def write_readings(rows: list[dict[str, Any]], path: PathLike) -> None:
    """Writes the paper's 18 numbers of Table 1 on AFLW and what each reading gives.

    A line is a model and a mask, coarse to fine; a column a reading, its error in
    percent of the eye distance by the paper's protocol. Of several trainings of one
    recipe it is the one that validates best. `nearest` is the reading nearest to the
    paper, where all are measured. Of the mask 1111 absent and untrained are one
    network.

    Args:
        rows: list of dicts, the rows of a results file (`tables.reproduce`).
        path: of the CSV file.
    """
    lines, columns = {}, {}
    for name, recipe in RECIPES.items():
        if not name.startswith("table1_"):
            continue
        _, model, mask = name.split("_")[:3]
        start = {"model": model, "mask": mask, "paper": recipe.paper["aflw"]}
        line = lines.setdefault((model, mask), start)
        trainings = [row for row in rows if row["recipe"] == name]
        best = min(trainings, key=lambda row: float(row[VALIDATION]), default={})
        column = reading(recipe.arguments)
        columns[column] = None
        line[column] = best.get("aflw_paper_grid", "")
    for line in lines.values():
        own = [column for column in columns if column in line]
        if all(line[column] for column in own):
            off = {column: abs(float(line[column]) - line["paper"]) for column in own}
            line["nearest"] = min(own, key=off.__getitem__)
    header = ["model", "mask", "paper", *columns, "nearest"]
    write_csv(path, list(lines.values()), header)
