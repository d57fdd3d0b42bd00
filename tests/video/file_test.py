import struct
import wave

import cv2
import numpy as np
import pytest
from video_checks import mp4_box

from rcn_keras.errors import InputError
from rcn_keras.video import Video, VideoFile
from rcn_keras.video import file as video_file


def grey(frames):
    return [round((image.mean() - 20) / 10) for _, _, image in frames]


@pytest.mark.parametrize("name", ["film.mp4", "film.avi"])
def test_frames_come_in_order_with_their_numbers_and_times(video, name):
    film = Video(video(name))
    assert (film.rate, film.count) == (25, 12)
    frames = list(film)
    assert [number for number, _, _ in frames] == list(range(12)) == grey(frames)
    seconds = [seconds for _, seconds, _ in frames]
    np.testing.assert_allclose(seconds, np.arange(12) / 25, atol=1e-3)
    assert frames[0][2].shape == (48, 64, 3) and frames[0][2].dtype == np.uint8


def test_colours_are_red_green_blue(tmp_path):
    film = VideoFile(tmp_path / "red.avi", 25)
    image = np.zeros((48, 64, 3), "uint8")
    image[..., 0] = 200
    film.write(image)
    film.close()
    ((_, _, back),) = Video(tmp_path / "red.avi")
    assert abs(int(back[..., 0].mean()) - 200) < 5 and back[..., 2].mean() < 20


def test_the_rotation_of_a_telephone_is_honoured(video):
    path = video()
    data = bytearray(path.read_bytes())
    matrix = mp4_box(data, b"tkhd")[0] + 48
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)
    data[matrix : matrix + 36] = quarter
    path.write_bytes(data)
    assert next(iter(Video(path)))[2].shape == (64, 48, 3)


def test_times_of_a_variable_frame_rate(video):
    path = video()
    data = path.read_bytes()
    place, size, _, parents = mp4_box(data, b"stts")
    (step,) = struct.unpack(">I", data[place + 20 : place + 24])
    # Six frames of one length, then six half as long.
    times = struct.pack(">I4s6I", size + 8, b"stts", 0, 2, 6, step, 6, step // 2)
    data = bytearray(data[:place] + times + data[place + size :])
    for parent in parents:
        (length,) = struct.unpack(">I", data[parent : parent + 4])
        data[parent : parent + 4] = struct.pack(">I", length + 8)
    path.write_bytes(data)
    seconds = [seconds for _, seconds, _ in Video(path)]
    expected = np.cumsum([0] + [0.04] * 6 + [0.02] * 5)
    np.testing.assert_allclose(seconds, expected, atol=1e-3)


def test_a_broken_frame_in_the_middle_is_left_out(video):
    path = video("film.avi", size=(160, 120))
    data = bytearray(path.read_bytes())
    start = data.find(b"\xff\xd8", len(data) // 2)
    end = data.find(b"\xff\xd9", start)
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    frames = list(Video(path))
    numbers = [number for number, _, _ in frames]
    assert len(frames) == 11 and numbers == grey(frames) and numbers[-1] == 11


def test_a_file_cut_short_gives_what_is_whole(video):
    path = video("film.avi", frames=23, size=(160, 120))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    frames = list(Video(path))
    assert 2 < len(frames) < 20 and grey(frames)[:3] == [0, 1, 2]


def test_frames_of_one_pixel_and_of_changing_sizes(video, tmp_path):
    assert [image.shape for _, _, image in Video(video("one.avi", 2, (1, 1)))] == [
        (1, 1, 3)
    ] * 2
    sides = (40, 40, 20, 60)
    pictures = [np.full((side, 2 * side, 3), 99, "uint8") for side in sides]
    data = b"".join(cv2.imencode(".jpg", each)[1].tobytes() for each in pictures)
    (tmp_path / "sizes.mjpeg").write_bytes(data)
    shapes = [image.shape for _, _, image in Video(tmp_path / "sizes.mjpeg")]
    assert shapes == [(40, 80, 3)] * 4


def bad_file(kind, folder, video):
    path = folder / f"{kind}.mp4"
    if kind == "text":
        path.write_text("no video\n" * 50)
    elif kind == "folder":
        path.mkdir()
    elif kind == "no frames":
        return video(path.name, frames=0)
    elif kind == "cut":
        path = video(path.name)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "audio":
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(16000))
    return path


@pytest.mark.parametrize(
    "kind, reason",
    [
        ("text", "not a video"),
        ("folder", "a folder, not a video"),
        ("no frames", "not a video"),
        ("cut", "not a video"),
        ("audio", "not a video"),
        ("missing", "no such file"),
    ],
)
def test_what_is_no_video_is_named_in_one_line(kind, reason, tmp_path, video, capfd):
    path = bad_file(kind, tmp_path, video)
    with pytest.raises(InputError) as error:
        Video(path)
    assert str(error.value) == f"{path}: {reason}"
    assert capfd.readouterr().err == ""


def test_a_camera_that_is_not_there(capfd):
    for source in (97, "97", "/dev/video97"):
        with pytest.raises(InputError, match="camera .*97: no such camera, or in use"):
            Video(source)
    assert capfd.readouterr().err == ""


def test_written_frames_come_back_scaled_to_the_first(tmp_path):
    path = tmp_path / "drawn.mp4"
    film = VideoFile(path, 25)
    for size in ((48, 64), (24, 32), (48, 64)):
        film.write(np.full((*size, 3), 120, "uint8"))
    assert not path.exists()
    film.close()
    assert [image.shape for _, _, image in Video(path)] == [(48, 64, 3)] * 3
    assert [each.name for each in tmp_path.iterdir()] == ["drawn.mp4"]


def test_a_full_disk_is_noticed_before_the_file_is_broken(tmp_path, monkeypatch):
    path, usage = tmp_path / "drawn.mp4", video_file.shutil.disk_usage(tmp_path)
    film = VideoFile(path, 25)
    image = np.full((48, 64, 3), 120, "uint8")
    film.write(image)
    full = usage._replace(free=1 << 19)
    monkeypatch.setattr(video_file.shutil, "disk_usage", lambda _: full)
    with pytest.raises(InputError, match="the disk is full; 1 frames are written"):
        film.write(image)
    film.close()
    assert len(list(Video(path))) == 1


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match="written as .mp4 or .avi. Received: '.gif'"):
        VideoFile(tmp_path / "drawn.gif", 25)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write there"):
        VideoFile(tmp_path / "file" / "drawn.mp4", 25)
    film = VideoFile(tmp_path / "never.mp4", 25)
    film.close()
    assert not (tmp_path / "never.mp4").exists()
