"""Table 1 where a network's maps are coarser than the grid they are read on.

    python benchmarks/table1_ties.py --data MTFL --afw 300W --runs runs

A network whose finest branches are absent has its coarser maps tiled up to 80x80, so
that 4 to 64 cells share the largest value. The paper's rule takes the first of them,
the left top corner of the tile; here both, that one and the middle of them all, on the
paper's grid, boxes from the true keypoints. `--runs` is the `--out` of `rcn-keras
reproduce table1`; the trainings that are there are measured.
"""

import pathlib

import common
import keras
import numpy as np

from rcn_keras.data.batches import input_images
from rcn_keras.data.sets import load_test_set
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import run
from rcn_keras.layout import FACE_5
from rcn_keras.reproduction.masks import reading
from rcn_keras.reproduction.tables import MODEL, run_folder, table_recipes
from rcn_keras.training.recipes import get_recipe


def main():
    parser = common.parser(
        __doc__,
        "python benchmarks/table1_ties.py --data MTFL --afw 300W --runs runs",
    )
    parser.add_argument("--afw", required=True, help="folder of AFW, or of 300-W")
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    options = parser.parse_args()
    folders = {}
    for name in table_recipes("table1"):
        recipe = get_recipe(name)
        folder = run_folder(options.runs, name, recipe)
        ties = not recipe.arguments["mask"][-1]
        ties = ties and reading(recipe.arguments) == "absent"
        if ties and (folder / MODEL).is_file():
            folders[name] = folder
    if not folders:
        raise InputError(f"{options.runs}: no training of table1 with coarse maps")
    sets = {
        "aflw": input_images(load_test_set(options.data, "aflw")),
        "afw": input_images(load_test_set(options.afw, "afw")),
    }
    rows = []
    for name, folder in folders.items():
        network = keras.saving.load_model(folder / MODEL)
        for part, (images, true) in sets.items():
            first, middle = errors(network, images, true)
            columns = {"recipe": name, "set": part, "faces": len(true)}
            columns |= {
                "first_percent": f"{first:.2f}",
                "middle_percent": f"{middle:.2f}",
            }
            rows.append(columns | {"paper_percent": get_recipe(name).paper[part]})
    print(common.markdown(rows))
    common.write_rows(options.results / "table1_ties.csv", rows)


def errors(network, images, true):
    """Mean errors in percent with the first and with the middle of the best cells.

    Args:
        network: `keras.Model` of maps.
        images, true: as of `input_images`.
    """
    network = keras.Model(network.input, {"maps": network.output})
    network.compile(jit_compile=False)
    first, last = best_cells(run(network, images)["maps"])
    return [
        100 * normalized_errors(true, cells, FACE_5, grid=True).mean()
        for cells in (first, (first + last) / 2)
    ]


def best_cells(maps):
    """Where the cells of the largest value begin and end in each map.

    Args:
        maps: `(N, H, W, K)`.

    Returns:
        `(2, N, K, 2)`: centres of the first and of the last of them, (x, y).
    """
    best = maps == maps.max(axis=(1, 2), keepdims=True)
    ends = []
    for axis in (1, 2):  # over the rows: where the columns are; then the other way
        line = best.any(axis=axis)
        last = line.shape[1] - 1 - line[:, ::-1].argmax(axis=1)
        ends.append(np.stack([line.argmax(axis=1), last]) + 0.5)
    return np.stack(ends, axis=-1)


if __name__ == "__main__":
    common.run(main)
