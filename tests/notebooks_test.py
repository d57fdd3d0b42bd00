import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted(pathlib.Path("notebooks").glob("*.ipynb"))
# Where a file or a home stands on some machine.
MACHINE_PATH = re.compile(
    r"(?<![\w.~/])/(?:tmp|var|home|root|mnt|work|usr|opt|Users)/|\b[A-Z]:\\"
)


def outputs(notebook):
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def images(notebook):
    """The bytes of the pictures among the outputs."""
    return [
        base64.b64decode(content)
        for output in outputs(notebook)
        for kind, content in output.get("data", {}).items()
        if kind.startswith("image/")
    ]


def without_images(notebook):
    """All else of the file, as text."""
    notebook = json.loads(nbformat.writes(notebook))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            output["data"] = {k: v for k, v in data.items() if not k.startswith("im")}
    return json.dumps(notebook)


def test_they_are_there():
    names = [path.stem for path in NOTEBOOKS]
    assert [name[:2] for name in names] == ["01", "02", "03", "04", "05", "06"]
    readme = pathlib.Path("notebooks/README.md").read_text()
    assert all(f"({name}.ipynb)" in readme for name in names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # Run once, from the first cell to the last, without an error or a warning.
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {output.output_type for output in outputs(notebook)} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert not [o for o in outputs(notebook) if o.get("name") == "stderr"]
    assert max(len(cell.source.splitlines()) for cell in code) <= 25
    pictures = images(notebook)
    assert pictures and max(map(len, pictures)) < 400_000
    assert not MACHINE_PATH.search(without_images(notebook))
    assert notebook.metadata.kernelspec.name == "python3"


def test_execute_in_place(tmp_path, monkeypatch):
    monkeypatch.setenv("RCN_KERAS_DATA", "anywhere")
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    script = shutil.copy("notebooks/execute.py", tmp_path)
    cell = nbformat.v4.new_code_cell(
        "import os, sys\nprint(os.environ.get('RCN_KERAS_DATA'), flush=True)\n"
        "print('noise', file=sys.stderr, flush=True)\nprint(os.listdir())\n2"
    )
    for name in ("wanted", "other"):
        notebook = nbformat.v4.new_notebook(cells=[cell])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    run = [sys.executable, script, "wanted"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert "noise" in done.stderr
    printed, result = outputs(nbformat.read(tmp_path / "wanted.ipynb", 4))
    assert printed.name == "stdout" and result.data == {"text/plain": "2"}
    assert printed.text.startswith("None\n") and "execute.py" in printed.text
    assert not outputs(nbformat.read(tmp_path / "other.ipynb", 4))
    done = subprocess.run([*run, "missing"], capture_output=True, text=True)
    assert done.returncode == 2 and "no such notebook: ['missing']" in done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch):
    """In its folder of a copy, with what it reads beside it: no research data."""
    for folder in ("notebooks", "examples", "results"):
        shutil.copytree(folder, tmp_path / folder)
    monkeypatch.delenv("RCN_KERAS_DATA", raising=False)
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    committed = nbformat.read(path, 4)
    executed = nbformat.from_dict(committed)
    client = nbclient.NotebookClient(
        executed,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path / "notebooks")}},
    )
    client.execute()  # raises what a cell raises
    assert "error" not in {output.output_type for output in outputs(executed)}
    assert len(images(executed)) == len(images(committed))
    # It leaves nothing behind.
    left = {p.name for p in (tmp_path / "notebooks").iterdir()}
    assert left == {p.name for p in pathlib.Path("notebooks").iterdir()}
