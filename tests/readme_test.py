import pathlib
import re
import shutil

import keras
import pytest

from rcn_keras.data.synthetic import write_mtfl

README = pathlib.Path("README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data and MTCNN are TensorFlow's"
)
@pytest.mark.parametrize("block", BLOCKS)
def test_every_python_block_runs(block, tmp_path, monkeypatch):
    (tmp_path / "examples").mkdir()
    shutil.copy("examples/astronaut.jpg", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    write_mtfl("demo", training=40, testing=1, size=100)
    exec(block, {})


def test_the_two_commands_are_there():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert "rcn-keras predict examples/" in commands[0]
    assert commands[1].endswith("-m pytest -n 2 --dist loadfile")


def test_links_to_files_lead_somewhere():
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert links and all(pathlib.Path(link).exists() for link in links)
