"""Whole photographs: one at a time, a folder of them, and the command line.

For `faces_per_second.py`. The photograph is the shipped one, 512x512 with one face; the
folder holds it 640x480, shifted and mirrored.
"""

import pathlib
import subprocess
import sys

import common
import numpy as np
from PIL import Image
from timing import Contender, in_batches, timed

from rcn_keras.errors import InputError
from rcn_keras.faces.detect import DETECTORS, get_detector
from rcn_keras.faces.detect.download import yunet_file
from rcn_keras.faces.images import read_image
from rcn_keras.predictor import Predictor
from rcn_keras.presets import preset_folder
from rcn_keras.runtime import RUNTIMES, installed_runtimes
from rcn_keras.stream import predictions

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
PHOTOGRAPH = REPOSITORY / "examples" / "astronaut.jpg"
PRESET = "rcn6_mtfl"
WIDTH, HEIGHT = 640, 480
FILES = 48
TIMES = 5  # of the one photograph, in a turn
STARTS = 3  # of the command line
# A process of its own starts the command: a child's peak memory begins with that of
# its parent.
LAUNCHER = """
import os, subprocess, sys, time
beginning = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - beginning, usage.ru_maxrss)  # KiB on Linux
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measured(folder, rounds, folder_rounds, threads):
    """Rows of all three parts."""
    found = detectors()
    single = one_by_one(found, threads)
    rows = timed_rows("512x512 file to points", single, timed(single, rounds))
    many = as_folder(found, folder_of(folder), threads)
    times = timed(many, folder_rounds)
    rows += timed_rows("folder of 640x480 files", many, times, "photographs/s")
    return rows + command_line(found, threads)


def detectors():
    """Name to detector, of those at hand."""
    found = {}
    for name in DETECTORS:
        if name == "yunet" and not yunet_file():
            common.say("left out: YuNet: `rcn-keras download yunet`, or set its path")
            continue
        try:
            found[name] = get_detector(name)
        except (ImportError, InputError) as error:
            common.say(f"left out: {name}: {error}")
    return found


def pairs(found):
    """Detectors with runtimes: the fast ones with each, MTCNN with its TensorFlow."""
    return [
        (detector, runtime)
        for detector in found
        for runtime in installed_runtimes()
        if (preset_folder(PRESET) / RUNTIMES[runtime][2]).exists()
        and (runtime == "keras") == (detector == "mtcnn")
    ]


def one_by_one(found, threads):
    """A file to points, by each detector and runtime."""

    def contender(pair):
        predictor = Predictor(PRESET, found[pair[0]], runtime=pair[1])
        return in_batches(
            pair, 1, TIMES, lambda part: check(predictor(PHOTOGRAPH)), threads
        )

    return [contender(pair) for pair in pairs(found)]


def check(faces):
    """A photograph in which nothing is found would be a fast one."""
    if len(faces) != 1:
        raise InputError(f"{PHOTOGRAPH}: one face is there. Received: {len(faces)}")


def folder_of(folder):
    """Writes the files; returns their paths."""
    image = Image.fromarray(read_image(PHOTOGRAPH)).resize((HEIGHT, HEIGHT))
    paths = []
    for number in range(FILES):
        canvas = Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90))
        turned = image if number % 2 else image.transpose(Image.FLIP_LEFT_RIGHT)
        canvas.paste(turned, (number * (WIDTH - HEIGHT) // FILES, 0))
        paths.append(pathlib.Path(folder) / f"{number:03}.jpg")
        canvas.save(paths[-1], quality=90)
    return paths


def as_folder(found, paths, threads):
    """All the files through `stream.predictions`, by each detector and runtime."""

    def contender(pair):
        predictor = Predictor(PRESET, found[pair[0]], runtime=pair[1])

        def run():
            for _, faces in predictions(predictor, paths):
                check(faces)

        run()
        return Contender(pair, "", len(paths), run, threads)

    return [contender(pair) for pair in pairs(found)]


def command_line(found, threads):
    """Rows: the fastest start of `rcn-keras predict`, and its memory."""
    rows = []
    for detector, runtime in pairs(found):
        one = [sys.executable, "-m", "rcn_keras", "predict", PHOTOGRAPH]
        one += ["--runtime", runtime, "--detector", detector]
        starts = [start(one) for _ in range(STARTS)]
        seconds, memory = zip(*starts)
        rows.append(
            {
                "what": "command line, cold",
                "detector": detector,
                "runtime": runtime,
                "unit": "s",
                "median": f"{np.median(seconds):.2f}",
                "best": f"{min(seconds):.2f}",
                "MB": max(memory),
                "threads": threads,
            }
        )
        common.say(f"cold: {rows[-1]}")
    return rows


def start(command):
    """Seconds that a command takes, and its peak memory in MB."""
    launched = subprocess.run(
        [sys.executable, "-c", LAUNCHER, *map(str, command)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    if launched.returncode:
        raise InputError(f"{command[-3:]}: exit code {launched.returncode}")
    seconds, kibibytes = map(float, launched.stdout.split())
    return seconds, round(kibibytes * 1024 / 1e6)


def timed_rows(what, contenders, milliseconds, unit="ms"):
    """Rows of one part; `unit`: `ms`, or `photographs/s`."""
    single = unit == "ms"
    values = milliseconds if single else 1000 / milliseconds
    best = (np.min if single else np.max)(values, axis=0)
    rows = []
    for one, column, least in zip(contenders, values.T, best):
        detector, runtime = one.name
        rows.append(
            {
                "what": what,
                "detector": detector,
                "runtime": runtime,
                "unit": unit,
                "median": f"{np.median(column):.1f}",
                "best": f"{least:.1f}",
                "MB": "",
                "threads": one.threads,
            }
        )
    return rows
