"""What the commands write where a person looks: lines, counters, pictures."""

import contextlib
import logging
import os
import sys


def progress(done, total, what):
    """A counter on standard error, where a person looks at it."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done}/{total} {what}", end=end, file=sys.stderr, flush=True)


def cropped(done, total):
    progress(done, total, "faces cropped")


def draw(image, faces, layout, folder, path, taken):
    """Writes the picture with its points; two of one name are told apart."""
    from PIL import Image

    from rcn_keras.files import replaced
    from rcn_keras.plotting import draw_keypoints

    name, number = path.stem, 1
    while name in taken:
        number += 1
        name = f"{path.stem}_{number}"
    taken.add(name)
    with replaced(folder / f"{name}.png") as temporary:
        Image.fromarray(draw_keypoints(image, faces, layout)).save(temporary)


def reported(crops):
    """The crops; what was left out is reported on stderr."""
    for failure in crops.failures[:20]:
        say(f"left out: {failure}")
    if crops.failures:
        say(f"left out: {len(crops.failures)}")
    return crops


@contextlib.contextmanager
def quiet_workers():
    """Leaves standard error to what is said here: Beam, and TensorFlow in each of its
    processes, write dozens of lines there."""
    if os.environ.get("RCN_KERAS_TRACEBACK"):
        yield
        return
    logging.disable()
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    with (
        open(os.dup(2), "w", encoding="utf-8") as kept,
        contextlib.redirect_stderr(kept),
    ):
        os.dup2(null, 2)
        try:
            yield
        finally:
            os.dup2(kept.fileno(), 2)
            os.close(null)
            logging.disable(logging.NOTSET)


def say(text):
    print(f"rcn-keras: {text}", file=sys.stderr, flush=True)


def one_line(error):
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
