"""Makes the pictures of `gallery.md`.

    python docs/take_pictures.py

Most are taken out of the executed notebooks: a picture is named by its notebook and by
the call that drew it. The diagrams are drawn here.
"""

import base64
import pathlib

import nbformat

import rcn_keras
from rcn_keras.files import replaced

FOLDER = pathlib.Path(__file__).resolve().parent
NOTEBOOKS = FOLDER.parent / "notebooks"
PICTURES = {
    "portraits.png": ("01_quickstart", "plot_inputs(np.stack(crops)"),
    "heatmaps.png": ("01_quickstart", "plot_heatmaps_together("),
    "branches.png": ("02_branches_and_masks", "look(maps, 0)"),
    "mosaic.png": ("03_sumnet_versus_rcn", "only(FOUR, found))"),
    "photographs.png": ("03_sumnet_versus_rcn", "pictures, points, answers, titles)"),
    "difficulty.png": ("04_difficulty", "plot_difficulty(real"),
    "joint_model.png": ("05_joint_model", "plot_comparison(images[ranks]"),
    "branch_counts.png": ("03_sumnet_versus_rcn", "plot_branch_counts("),
    "convergence.png": ("06_training", 'for name in pair}, "val_nme_clean"'),
}

DIAGRAMS = {
    "architecture_sumnet.png": lambda: rcn_keras.build_sumnet(branches=4),
    "architecture_rcn.png": lambda: rcn_keras.build_rcn(branches=4),
    "architecture_joint.png": lambda: rcn_keras.from_preset("joint_300w"),
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
    for name, network in DIAGRAMS.items():
        rcn_keras.plotting.plot_architecture(network(), save=FOLDER / name)
        print(FOLDER / name)
