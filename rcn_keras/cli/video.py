"""`rcn-keras video`."""

import argparse
import contextlib
import pathlib
import sys
import time

from rcn_keras.cli import arguments, inputs
from rcn_keras.cli.formats import Csv, JsonLines
from rcn_keras.cli.output import say
from rcn_keras.cli.predictors import make_predictor

HELP = """Tracks the faces of a video or a camera, and smooths their keypoints.

Ctrl-C stops it; the files that it has written are complete.
"""
EXAMPLE = "rcn-keras video film.mp4 --out drawn.mp4 --jsonl faces.jsonl"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "video", metavar="INPUT", help="a video file, or a camera: 0 or /dev/video0"
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="FILE",
        help="the drawn video, .mp4 or .avi, in frames equally long",
    )
    lines = parser.add_mutually_exclusive_group()
    lines.add_argument(
        "--jsonl",
        type=pathlib.Path,
        metavar="FILE",
        help="a JSON object a frame (default: on standard output, unless --out or "
        "--show is given)",
    )
    lines.add_argument(
        "--csv", type=pathlib.Path, metavar="FILE", help="a row a face and frame"
    )
    parser.add_argument("--show", action="store_true", help="a window; q closes it")
    parser.add_argument(
        "--no-smoothing", action="store_true", help="keypoints as they are found"
    )
    parser.add_argument(
        "--detect-every",
        type=arguments.whole(1),
        default=15,
        metavar="FRAMES",
        help="frames from one detection to the next (default: 15)",
    )
    parser.add_argument(
        "--axes", action="store_true", help="draw the axes of the heads"
    )
    arguments.preset(parser)
    arguments.detection(parser)
    arguments.runtime(parser)


def run(options: argparse.Namespace) -> int:
    from rcn_keras.video import Video, VideoFile, track

    outputs = [options.out, options.jsonl, options.csv]
    inputs.check_outputs(outputs, [options.video])
    video = Video(options.video)
    drawn = VideoFile(options.out, video.rate) if options.out else None
    predictor = make_predictor(
        options.preset, options.detector, runtime=options.runtime
    )
    layout = predictor.layout
    with contextlib.ExitStack() as stack:
        results, window = _results(options, layout, stack), None
        if drawn:
            stack.callback(drawn.close)
        if options.show:
            window = stack.enter_context(_window(options.video))
        frames, frame, start = 0, None, time.monotonic()
        try:
            for frame in track(
                video,
                predictor,
                detect_every=options.detect_every,
                smoothing=not options.no_smoothing,
            ):
                record = {"frame": frame.number, "seconds": round(frame.seconds, 4)}
                faces = [face.as_dict() for face in frame.faces]
                if results:
                    results.add(record, frame.image.shape[1::-1], faces)
                if drawn or window:
                    from rcn_keras.plotting import draw

                    picture = draw(frame.image, faces, layout, options.axes)
                if drawn:
                    drawn.write(picture)
                if window and not window(picture):
                    break
                frames += 1
                _progress(frame.number + 1, video.count, frames, start)
        except KeyboardInterrupt:
            say(f"stopped after {frames} frames")
            return 130
        finally:
            if frames and sys.stderr.isatty():
                print(file=sys.stderr)
    lost = 0 if window else _lost(video, frames, frame)
    if lost:
        say(f"{options.video}: {lost} of {frames + lost} frames could not be read")
    return 1 if lost else 0


def _lost(video, frames, last):
    """How many frames could not be read: those skipped, and those after the last."""
    skipped = last.number + 1 - frames
    left = max((video.count or 0) - last.number - 1, 0)
    # Some files only guess their count by how long they are: they count by their time.
    seconds = (video.count or 0) / video.rate - last.seconds
    return skipped + (left if seconds > 2.5 / video.rate else 0)


def _results(options, layout, stack):
    form = Csv if options.csv else JsonLines
    path = options.csv or options.jsonl
    if path is None and (options.out or options.show):
        return None
    return stack.enter_context(contextlib.closing(form(path, layout)))


def _progress(done, total, frames, start):
    """Frames, frames a second and the time left, where a person looks at it."""
    if not sys.stderr.isatty():
        return
    rate = frames / max(time.monotonic() - start, 1e-6)
    text = f"{done}/{total or '?'} frames, {rate:.1f} frames/s"
    if total:
        text += f", {max(total - done, 0) / rate:.0f} s left"
    print(f"\r{text}   ", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _window(name):
    """A function that shows a picture; false once the window is to be closed."""
    import cv2

    from rcn_keras.errors import InputError

    try:
        cv2.namedWindow(name)
    except cv2.error:
        raise InputError("--show needs a display; there is none") from None

    def show(picture):
        cv2.imshow(name, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return cv2.waitKey(1) not in (ord("q"), 27)

    try:
        yield show
    finally:
        cv2.destroyWindow(name)
