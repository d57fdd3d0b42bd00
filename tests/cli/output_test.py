import dataclasses
import logging
import sys

import numpy as np
from PIL import Image

from rcn_keras.cli import output
from rcn_keras.errors import InputError


def test_pictures_of_one_name_get_different_names(tmp_path):
    grey, taken = np.full((40, 60, 3), 90, "uint8"), set()
    face = {"box": [5, 5, 35, 35], "keypoints": [[20.5, 20.5]], "confidence": [0.9]}
    for folder in ("a", "b"):
        path = tmp_path / folder / "photo.jpg"
        output.draw(grey, [face], None, tmp_path, path, taken)
    for name in ("photo.png", "photo_2.png"):
        drawn = np.asarray(Image.open(tmp_path / name))
        assert drawn.shape == grey.shape and (drawn != grey).any()


def test_one_line():
    assert output.one_line(InputError("two\n  lines")) == "two lines"
    missing = FileNotFoundError(2, "No such file or directory", "photo.jpg")
    assert output.one_line(missing) == "photo.jpg: No such file or directory"
    assert output.one_line(ValueError()) == "ValueError"


def test_what_was_left_out_is_reported(crops, capsys):
    failures = [f"list.txt:{i}: cut" for i in range(25)]
    crops = dataclasses.replace(crops, failures=failures)
    assert output.reported(crops) is crops
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "rcn-keras: left out: list.txt:0: cut"
    assert (
        len(lines) == 21
        and lines[-1] == "rcn-keras: left out in total: 25 (the first 20 are shown)"
    )


def test_progress_is_for_a_person(capsys, monkeypatch):
    output.progress(1, 2, "faces")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    output.progress(1, 2, "faces")
    output.progress(2, 2, "faces")
    assert capsys.readouterr().err == "\r1/2 faces\r2/2 faces\n"


def test_workers_are_quiet_and_what_is_said_is_heard(capfd):
    with output.quiet_workers():
        logging.error("a worker's line")
        output.say("ours")
    output.say("after")
    assert capfd.readouterr().err == "rcn-keras: ours\nrcn-keras: after\n"


def test_logging_that_was_off_before_stays_off():
    logging.disable(logging.WARNING)
    try:
        with output.quiet_workers():
            pass
        assert logging.root.manager.disable == logging.WARNING
    finally:
        logging.disable(logging.NOTSET)
