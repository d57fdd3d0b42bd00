"""Takes the pictures of `gallery.md` out of the executed notebooks.

    python docs/take_pictures.py

A picture is named by its notebook and by the call that drew it.
"""

import base64
import pathlib

import nbformat

from rcn_keras.files import replaced

FOLDER = pathlib.Path(__file__).resolve().parent
NOTEBOOKS = FOLDER.parent / "notebooks"
PICTURES = {
    "heatmaps.png": ("01_quickstart", "plot_heatmaps_together("),
    "branches.png": ("02_branches_and_masks", "look(maps, 0)"),
    "joint_model.png": ("05_joint_model", "plot_mosaic(covered"),
    "branch_counts.png": ("03_sumnet_versus_rcn", "plot_branch_counts("),
    "convergence.png": ("06_training", 'for name in pair}, "val_nme_clean"'),
}


def picture(notebook, call):
    """The PNG file that the last cell with this call shows.

    Raises:
        LookupError: if no cell has it, or the cell shows no picture.
    """
    path = NOTEBOOKS / f"{notebook}.ipynb"
    for cell in reversed(nbformat.read(path, 4).cells):
        if cell.cell_type == "code" and call in cell.source:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    raise LookupError(f"{path}: no cell that shows what {call!r} drew")


if __name__ == "__main__":
    for name, (notebook, call) in PICTURES.items():
        with replaced(FOLDER / name) as temporary:
            temporary.write_bytes(picture(notebook, call))
        print(FOLDER / name)
