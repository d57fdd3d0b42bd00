"""Runs notebooks and writes what they give into them, as it is committed.

    python notebooks/execute.py 05_joint_model

No name: all of them. Without the research data, whatever `RCN_KERAS_DATA` says. What a
notebook writes to standard error, as TensorFlow does when it starts, is shown here and
left out there.
"""

import argparse
import base64
import io
import os
import pathlib
import sys
import time

import nbclient
import nbformat
from PIL import Image

from rcn_keras.files import replaced

FOLDER = pathlib.Path(__file__).resolve().parent


def main():
    names = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(names))
    chosen = parser.parse_args().names or names
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        parser.error(f"no such notebook: {unknown}. There are {names}")
    os.environ.pop("RCN_KERAS_DATA", None)
    for name in chosen:
        execute(FOLDER / f"{name}.ipynb")


def execute(path):
    """Runs a notebook in its folder; it is left as it was where a cell fails."""
    start = time.monotonic()
    notebook = nbformat.read(path, 4)
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _kept(cell.outputs)
    # The kernel has added the version of its Python.
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.validate(notebook)
    with replaced(path) as temporary:
        nbformat.write(notebook, temporary)
    print(f"{path.name}: {time.monotonic() - start:.0f} s")


def _kept(outputs):
    """The outputs of a cell without standard error, standard output in one piece,
    pictures in fewer bytes."""
    kept = []
    for output in outputs:
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = _packed(output.data["image/png"])
        if output.get("name") == "stderr":
            sys.stderr.write(output.text)
        elif kept and output.get("name") == kept[-1].get("name") == "stdout":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def _packed(picture):
    """The same pixels, compressed as far as PNG goes; both in base64."""
    packed = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        image.save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


if __name__ == "__main__":
    main()
