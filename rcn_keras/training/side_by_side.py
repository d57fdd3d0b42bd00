"""Several trainings at once on one accelerator, within the minutes that it is there."""

import os
import pathlib
import shlex
import subprocess
import sys
import tarfile
import time

from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_text, replaced
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.fit import BEST, LAST, RUN
from rcn_keras.training.recipes import RECIPE, read_recipe

# What is kept of a finished training; of one that was cut off LAST too, to resume it.
KEPT = (RECIPE, RUN, "log.csv", BEST)
EVERY = 5.0  # seconds between two looks at the trainings


def read_jobs(path):
    """The trainings of a text file, a line each: `NAME: RECIPE [options of train]`.

    Blank lines, and those that begin with `#`, are skipped.

    Returns:
        dict, the name of a run's folder to its list of arguments.

    Raises:
        InputError: if a line is malformed or a name comes twice.
    """
    path, jobs = pathlib.Path(path), {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, arguments = line.partition(":")
        name, arguments = name.strip(), shlex.split(arguments)
        if not colon or not arguments or pathlib.Path(name).name != name:
            raise InputError(
                f"{path}:{number}: expected NAME: RECIPE [options]; found {line!r}"
            )
        if name in jobs:
            raise InputError(f"{path}:{number}: {name} is there twice")
        jobs[name] = arguments
    if not jobs:
        raise InputError(f"{path}: lists no training")
    return jobs


def train_side_by_side(jobs, data, out, parallel, minutes, echo=print):
    """Runs `rcn-keras train` for each job, several at a time; may be called again.

    Every training runs with `--resume`: one that was cut off continues, a finished one
    ends at once. What a training prints stands in `out/NAME.log`.

    Args:
        jobs: dict, as from `read_jobs`.
        data: folder of the data set, or of packed faces.
        out: folder of the runs.
        parallel: int, trainings at a time.
        minutes: float, after which those that still run are ended.
        echo: callable that takes a line of progress.

    Returns:
        dict of str, the name of each job to `"done"`, `"failed"`, `"cut off"` or
        `"not begun"`.
    """
    out = pathlib.Path(out)
    check_writable(out)
    end = time.monotonic() + 60 * minutes
    states = dict.fromkeys(jobs, "not begun")
    waiting, running = list(jobs), {}
    try:
        while (waiting or running) and time.monotonic() < end:
            while waiting and len(running) < parallel:
                name = waiting.pop(0)
                running[name] = _start(name, jobs[name], data, out)
            time.sleep(min(EVERY, max(0.0, end - time.monotonic())))
            for name in [name for name in running if running[name].poll() is not None]:
                code = running.pop(name).returncode
                states[name] = "failed" if code else "done"
                echo(f"{name}: {states[name]}; {_last_line(out / f'{name}.log')}")
    finally:
        for name, process in running.items():
            process.kill()
            process.wait()
            states[name] = "cut off"
            echo(f"{name}: cut off; {_last_line(out / f'{name}.log')}")
    return states


def archive(names, out, folder, megabytes=15):
    """Puts what is kept of trainings into tar files of a limited size.

    Args:
        names: list of names of run folders in `out`; those without a finished epoch
            are left out.
        out: folder of the runs.
        folder: where `runs_0.tar`, `runs_1.tar`, ... are written.
        megabytes: float, their largest size in MiB, but for one larger run by itself.

    Returns:
        list of their paths.
    """
    out, folder = pathlib.Path(out), pathlib.Path(folder)
    check_writable(folder)
    groups, size = [], float("inf")
    for name in names:
        run = out / name
        rows = read_log(run / "log.csv")
        if not rows:
            continue
        cut_off = len(rows) < read_recipe(run).epochs
        files = [run / file for file in (*KEPT, *([LAST] if cut_off else []))]
        bytes_ = sum(path.stat().st_size for path in files)
        if size + bytes_ > megabytes * 2**20:
            groups.append([])
            size = 0
        size += bytes_
        groups[-1] += files
    paths = [folder / f"runs_{number}.tar" for number in range(len(groups))]
    for path, files in zip(paths, groups):
        with replaced(path) as temporary, tarfile.open(temporary, "w") as tar:
            for file in files:
                tar.add(file, file.relative_to(out))
    return paths


def _start(name, arguments, data, out):
    command = [sys.executable, "-m", "rcn_keras", "train", *arguments]
    command += ["--data", str(data), "--out", str(out / name), "--resume"]
    # Several processes share the accelerator's memory.
    environment = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **os.environ}
    with (out / f"{name}.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment
        )


def _last_line(path):
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")
