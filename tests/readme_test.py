import csv
import pathlib
import re
import shlex
import shutil

import keras
import pytest

from rcn_keras.cli import build_parser
from rcn_keras.data.synthetic import write_mtfl

PAGES = [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").glob("**/*.md"))]
README = PAGES[0].read_text()
FENCE = re.compile(r"^( *)```(\w+)(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
COMMAND = re.compile(r"^ *(?:KERAS_BACKEND=\w+ )?rcn-keras (.*)$", re.MULTILINE)


def blocks(page):
    """The Python blocks of a page that need nothing that a test has not."""
    return [
        code
        for _, language, title, code in FENCE.findall(page.read_text())
        if language == "python" and not title.startswith(' title="Needs')
    ]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data and MTCNN are TensorFlow's"
)
@pytest.mark.parametrize("page", [*filter(blocks, PAGES)], ids=str)
def test_the_python_blocks_of_a_page_run_in_turn(page, tmp_path, monkeypatch):
    (tmp_path / "examples").mkdir()
    shutil.copy("examples/astronaut.jpg", tmp_path / "examples")
    code = blocks(page)
    monkeypatch.chdir(tmp_path)
    write_mtfl("demo", training=40, testing=1, size=100)
    names = {}
    for block in code:
        exec(block, names)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_on_a_page_is_one_that_the_command_line_takes(page):
    for command in COMMAND.findall(page.read_text()):
        command = re.split("; | > ", command)[0]
        options, others = build_parser().parse_known_args(
            shlex.split(command, comments=True)
        )
        assert not others or options.command == "bulk", command  # Beam's own


def test_the_two_commands_are_there():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert "rcn-keras predict examples/" in commands[0]
    assert commands[1].endswith("-m pytest -n 2 --dist loadfile")


def test_links_to_files_lead_somewhere():
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert links and all(pathlib.Path(link).exists() for link in links)


def measured(name, **chosen):
    with pathlib.Path("results", name).open(newline="") as file:
        (row,) = (
            row
            for row in csv.DictReader(file)
            if all(row[key] == value for key, value in chosen.items())
        )
    return row


PRESET = re.compile(
    r"^\| `(\w+)` \| (\d+) \| .* \| ([0-9.]+) (AFLW|300-W) \| ([0-9.]+) \|$",
    re.MULTILINE,
)


def test_the_presets_numbers_are_those_of_the_results():
    lines = PRESET.findall(README)
    assert len(lines) == 5
    for name, _, error, set_name, milliseconds in lines:
        chosen = {"AFLW": "aflw", "300-W": "300w_common"}[set_name]
        row = measured("accuracy.csv", model=name, set=chosen, protocol="subpixel")
        assert f"{float(row['nme_percent']):.2f}" == error, name
        contender = f"{name}, openvino, network alone"
        row = measured("faces_per_second.csv", contender=contender, batch="64")
        assert row["ms a face, median"] == milliseconds, name
