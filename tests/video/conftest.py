import cv2
import numpy as np
import pytest

from rcn_keras.video import Video  # noqa: F401, before OpenCV's first video


@pytest.fixture
def video(tmp_path):
    """Writes a video of frames whose grey tells their number: 10 each."""

    def write(name="film.mp4", frames=12, size=(64, 48), rate=25):
        codec = "mp4v" if name.endswith("mp4") else "MJPG"
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, size)
        noise = np.random.default_rng(0).normal(0, 3, (size[1], size[0], 3))
        for number in range(frames):
            writer.write(np.clip(10 * number + 20 + noise, 0, 255).astype("uint8"))
        writer.release()
        return path

    return write
