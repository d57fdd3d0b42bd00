import json
import os
import pathlib
import subprocess
import sys
import wave

import cv2
import numpy as np
import pandas
import pytest
from video_checks import KnownFaces

from rcn_keras.cli import main
from rcn_keras.cli import video as command
from rcn_keras.errors import InputError
from rcn_keras.video import Video, VideoFile


class Fixed(KnownFaces):
    """One face, whatever the frame."""

    def __init__(self):
        super().__init__(lambda number: (60, 40, 20), noise=0.2)
        self.stop_after, self.located = None, 0

    def truth(self, number):
        return super().truth(0)

    def locate(self, images, squares, second_pass=True):
        self.located += 1
        if self.located == self.stop_after:
            raise KeyboardInterrupt
        return super().locate(images, squares)


@pytest.fixture
def predictor(monkeypatch):
    fixed = Fixed()
    monkeypatch.setattr(command, "make_predictor", lambda *_, **options: fixed)
    return fixed


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    writer = VideoFile(path, 25)
    for _ in range(12):
        writer.write(np.full((96, 128, 3), 90, "uint8"))
    writer.close()
    return path


def run(capsys, *arguments):
    code = main(["video", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.splitlines()


def test_lines_on_standard_output(predictor, film, capsys):
    code, lines, errors = run(capsys, film)
    assert code == 0 and len(lines) == 12 and not errors
    records = [json.loads(line) for line in lines]
    assert [record["frame"] for record in records] == list(range(12))
    assert records[5]["seconds"] == 0.2
    assert [face["id"] for face in records[5]["faces"]] == [0]


def test_a_table_and_a_drawn_video(predictor, film, tmp_path, capsys):
    drawn, table = tmp_path / "drawn.mp4", tmp_path / "faces.csv"
    code, lines, _ = run(capsys, film, "--out", drawn, "--csv", table)
    assert code == 0 and not lines
    rows = pandas.read_csv(table)
    assert list(rows["frame"]) == list(range(12)) and (rows["face"] == 0).all()
    frames = [image for _, _, image in Video(drawn)]
    assert len(frames) == 12 and np.ptp(frames[6]) > 60


def test_no_smoothing_gives_the_points_as_found(predictor, film, capsys):
    def jitter(*arguments):
        _, lines, _ = run(capsys, film, *arguments)
        faces = [json.loads(line)["faces"][0]["keypoints"] for line in lines]
        return np.abs(np.diff(faces, 2, axis=0)).mean()

    assert jitter("--no-smoothing") > 3 * jitter()


def test_ctrl_c_leaves_a_playable_file_and_whole_lines(
    predictor, film, tmp_path, capsys
):
    predictor.stop_after = 6
    drawn, lines = tmp_path / "drawn.mp4", tmp_path / "faces.jsonl"
    code, _, errors = run(capsys, film, "--out", drawn, "--jsonl", lines)
    assert code == 130 and errors == ["rcn-keras: stopped after 5 frames"]
    assert len([json.loads(line) for line in lines.read_text().splitlines()]) == 5
    assert len(list(Video(drawn))) == 5


def test_a_full_disk_keeps_what_was_written(
    predictor, film, tmp_path, capsys, monkeypatch
):
    def full_after(self, image, write=VideoFile.write):
        if self.frames == 4:
            raise InputError(f"{self.path}: the disk is full; 4 frames are written")
        write(self, image)

    monkeypatch.setattr(VideoFile, "write", full_after)
    drawn = tmp_path / "drawn.mp4"
    code, _, errors = run(capsys, film, "--out", drawn)
    assert code == 2 and len(errors) == 1 and "the disk is full" in errors[0]
    assert len(list(Video(drawn))) == 4


NO_VIDEO = {
    "missing.mp4": "no such file",
    "folder.mp4": "a folder, not a video",
    "text.mp4": "not a video",
    "audio.mp4": "not a video",
    "no_frames.mp4": "not a video",
    "cut.mp4": "not a video",
}


@pytest.fixture
def no_videos(film, tmp_path):
    """A folder with what cannot be read, named as in `NO_VIDEO`."""
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "text.mp4").write_text("no video\n" * 50)
    with wave.open(str(tmp_path / "audio.mp4"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", None))
        file.writeframes(bytes(16000))
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    path = str(tmp_path / "no_frames.mp4")
    cv2.VideoWriter(path, codec, 25, (128, 96)).release()
    whole = film.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    return tmp_path


@pytest.mark.parametrize("name", NO_VIDEO)
def test_what_is_no_video_is_one_line(name, no_videos, predictor, capfd):
    path, out = no_videos / name, no_videos / "drawn.mp4"
    assert main(["video", str(path), "--out", str(out)]) == 2
    printed = capfd.readouterr()
    assert printed.out == "" and not out.exists()
    assert printed.err == f"rcn-keras: error: {path}: {NO_VIDEO[name]}\n"


def test_a_camera_that_is_not_there_is_one_line(predictor, capfd):
    assert main(["video", "97"]) == 2
    reason = "camera 97: no such camera, or in use"
    assert capfd.readouterr() == ("", f"rcn-keras: error: {reason}\n")


def test_frames_lost_at_the_end_make_exit_code_1(predictor, tmp_path, capsys):
    path, drawn = tmp_path / "film.avi", tmp_path / "drawn.mp4"
    write_noise(path, 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    code, lines, errors = run(
        capsys, path, "--out", drawn, "--jsonl", tmp_path / "faces.jsonl"
    )
    count = len((tmp_path / "faces.jsonl").read_text().splitlines())
    assert code == 1 and 15 < count < 35 and len(list(Video(drawn))) == count
    (line,) = errors
    assert line.endswith(f"film.avi: {40 - count} of 40 frames could not be read")


def test_frames_of_one_pixel_and_of_changing_sizes_are_answered(
    predictor, tmp_path, capsys
):
    for name, sizes in {"one": [(1, 1)] * 3, "sizes": [(40, 40), (80, 20)] * 2}.items():
        path, drawn = tmp_path / f"{name}.mjpeg", tmp_path / f"{name}.avi"
        frames = [np.full((*size, 3), 99, "uint8") for size in sizes]
        jpegs = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]
        path.write_bytes(b"".join(jpegs))
        code, lines, errors = run(capsys, path, "--out", drawn)
        assert (code, lines, errors) == (0, [], [])
        assert len(list(Video(drawn))) == len(sizes)
        code, lines, errors = run(capsys, path)
        assert code == 0 and len(lines) == len(sizes) and not errors


FULL_DISK = """
import sys
from video_command_test import Fixed
from rcn_keras.cli import main, video
from rcn_keras.video import Video

video.make_predictor = lambda *_, **options: Fixed()
_, film, option, path = sys.argv
print(main(["video", film, option, path]))
if option == "--out":
    print(len(list(Video(path))))
else:
    text = open(path).read()
    assert text.endswith("}\\n")
    print(text.count("\\n"))
"""


@pytest.mark.parametrize(
    "option, size, reason",
    [("--out", "2m", "the disk is full"), ("--jsonl", "32k", "No space left")],
)
def test_a_small_disk_keeps_what_was_written(option, size, reason, tmp_path):
    """On a file system of its own, in a name space where it may be mounted."""
    film, disk = tmp_path / "film.avi", tmp_path / "disk"
    write_noise(film, 150, (192, 256, 3))
    disk.mkdir()
    result = disk / ("drawn.mp4" if option == "--out" else "faces.jsonl")
    mount = f'mount -t tmpfs -o size={size} none {disk} && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", mount, "sh"]
    if subprocess.run([*command, "true"]).returncode:
        pytest.skip("no file system can be mounted here")
    paths = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1])]
    ran = subprocess.run(
        [*command, sys.executable, "-c", FULL_DISK, str(film), option, str(result)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), *paths])},
        capture_output=True,
        text=True,
    )
    code, count = map(int, ran.stdout.split())
    assert code == 2 and 10 < count < 150
    (line,) = ran.stderr.splitlines()
    assert line.startswith(f"rcn-keras: error: {result}: ") and reason in line


def write_noise(path, count, shape=(96, 128, 3)):
    writer, rng = VideoFile(path, 25), np.random.default_rng(0)
    for _ in range(count):
        writer.write(rng.integers(0, 256, shape, dtype="uint8"))
    writer.close()


def test_progress_is_for_a_person(predictor, film, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code = main(["video", str(film), "--jsonl", str(film.with_suffix(".jsonl"))])
    text = capsys.readouterr().err
    assert code == 0 and "\r12/12 frames, " in text and "frames/s, 0 s left" in text
