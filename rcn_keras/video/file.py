"""Frames out of a video file or a camera, and into a video file, by OpenCV."""

import contextlib
import os
import pathlib
import shutil
import time
from collections.abc import Iterator

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, replaced

# FFmpeg's own lines about files it cannot read; OpenCV looks once, at the first video.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
BROKEN = 100  # So many frames in a row that cannot be read are the end.
SPARE = 1 << 20  # bytes of a disk left free, for the end of the file


class Video:
    """The frames of a video file or a camera, upright by the file's rotation.

    Frames that cannot be decoded are left out; the rest keep their numbers and times.

    Args:
        source: path of a file, or of a camera (`/dev/video0`), or a camera's index.

    Attributes:
        rate: float, frames a second; 25 where the source has none.
        count: int, frames that the file says it has, or `None`.

    Iterating yields `(number, seconds, image)`: an int from 0, the frame's time stamp
    (of a camera, since the first frame), and `(H, W, 3)` uint8 RGB.

    Raises:
        InputError: if there is no such file or camera, or no picture can be read.
    """

    def __init__(self, source: str | os.PathLike | int):
        import cv2

        index = source if isinstance(source, int) else str(source)
        if isinstance(index, str) and index.isascii() and index.isdigit():
            index = int(index)
        self.camera = isinstance(index, int) or index.startswith("/dev/video")
        self.name = f"camera {source}" if self.camera else str(source)
        if not self.camera:
            path = pathlib.Path(str(index))
            if not path.is_file():
                what = "a folder, not a video" if path.is_dir() else "no such file"
                raise InputError(f"{path}: {what}")
        with _silence(cv2):
            self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            what = "no such camera, or in use" if self.camera else "not a video"
            raise InputError(f"{self.name}: {what}")
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate < 1000 else 25.0
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.count = count if count > 0 and not self.camera else None
        self._first = self._read()
        if self._first is None:
            raise InputError(f"{self.name}: no frame can be read")

    def __iter__(self) -> Iterator[tuple[int, float, np.ndarray]]:
        frame, number = self._first, 0
        while frame is not None:
            skipped, seconds, image = frame
            number += skipped
            yield number, seconds, image
            number += 1
            frame = self._read()

    def _read(self):
        """How many broken frames came first, the time, and the picture; or `None`."""
        import cv2

        for skipped in range(BROKEN):
            good, image = self._capture.read()
            if good:
                if self.camera:
                    seconds = time.monotonic()
                    self._start = getattr(self, "_start", seconds)
                    seconds -= self._start
                else:
                    seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                return skipped, seconds, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return None

    def close(self) -> None:
        """Gives the file or camera back."""
        self._capture.release()


class VideoFile:
    """Writes frames into an `.mp4` or `.avi` file, under a temporary name until closed.

    Args:
        path: path of the file.
        rate: float, frames a second; every frame is shown equally long.

    Raises:
        InputError: for another suffix, or where nothing can be written.
    """

    def __init__(self, path: str | os.PathLike, rate: float):
        self.path = pathlib.Path(path)
        if self.path.suffix.lower() not in CODECS:
            raise InputError(
                f"{path}: a video is written as {' or '.join(CODECS)}. "
                f"Received: {self.path.suffix!r}"
            )
        check_writable(self.path.parent)
        self.rate, self.frames = rate, 0
        self._writer, self._stack = None, contextlib.ExitStack()

    def write(self, image: np.ndarray) -> None:
        """Adds a frame, `(H, W, 3)` uint8 RGB, scaled to the size of the first.

        Raises:
            InputError: if the disk is full: close the file, it can be played.
        """
        import cv2

        if self._writer is None:
            temporary = self._stack.enter_context(replaced(self.path))
            codec = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
            self._size = image.shape[1::-1]
            with _silence(cv2):
                self._writer = cv2.VideoWriter(
                    str(temporary), codec, self.rate, self._size
                )
            if not self._writer.isOpened():
                raise InputError(f"{self.path}: cannot write {self._size} frames there")
        # OpenCV's writer reports nothing: look before the disk is full.
        if shutil.disk_usage(self.path.parent).free < SPARE + image.nbytes // 4:
            raise InputError(
                f"{self.path}: the disk is full; {self.frames} frames are written"
            )
        if image.shape[1::-1] != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self.frames += 1

    def close(self) -> None:
        """Ends the file and gives it its name."""
        if self._writer is not None:
            self._writer.release()
            self._stack.close()


@contextlib.contextmanager
def _silence(cv2):
    """Without the lines that OpenCV and FFmpeg write about files they cannot read."""
    logging = cv2.utils.logging
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
