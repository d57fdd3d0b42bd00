"""Several trainings at once on one accelerator, within the minutes that it is there."""

import os
import pathlib
import shlex
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Mapping, Sequence

from rcn_keras._types import Echo, PathLike
from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_text, replaced
from rcn_keras.presets import CONFIG
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.recipe import RECIPE, read_recipe
from rcn_keras.training.run_folder import BEST, LAST, RUN

# What is kept of a finished training; of one that was cut off LAST too, to resume it.
KEPT = (RECIPE, RUN, "log.csv", BEST)
EVERY = 5.0  # seconds between two looks at the trainings


def read_jobs(path: PathLike) -> dict[str, list[str]]:
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


def train_side_by_side(
    jobs: Mapping[str, Sequence[str]],
    data: PathLike,
    out: PathLike,
    parallel: int,
    minutes: float,
    presets: PathLike | None = None,
    echo: Echo = print,
) -> dict[str, str]:
    """Runs `rcn-keras train` for each job, several at a time; may be called again.

    Every training runs with `--resume`: one that was cut off continues, a finished one
    ends at once. What a training prints stands in `out/NAME.log`.

    Args:
        jobs: dict, as from `read_jobs`.
        data: folder of the data set, or of packed faces; a job's own `--data` wins.
        out: folder of the runs.
        parallel: int, trainings at a time.
        minutes: float, after which those that still run are ended.
        presets: `None`, or a folder for presets of the trainings that others start
            from: a job with `--weights presets/NAME` or `--teacher presets/NAME` waits
            until the job NAME is finished and made into that preset.
        echo: callable that takes a line of progress.

    Returns:
        dict of str, the name of each job to `"done"`, `"failed"`, `"cut off"` or
        `"not begun"`.
    """
    out = pathlib.Path(out)
    check_writable(out)
    end = time.monotonic() + 60 * minutes
    states = dict.fromkeys(jobs, "not begun")
    needs = {name: _needs(jobs, name, presets) for name in jobs}
    needed = set().union(*needs.values())
    folders = {name: pathlib.Path(presets or "", name) for name in needed}
    ready = {name for name in needed if (folders[name] / CONFIG).exists()}
    running, publishing = {}, {}
    try:
        while time.monotonic() < end:
            waiting = [
                name
                for name in jobs
                if states[name] == "not begun" and name not in running
            ]
            able = [name for name in waiting if needs[name] <= ready]
            for name in able[: max(0, parallel - len(running))]:
                running[name] = _start(name, jobs[name], data, out)
            if not running and not publishing:
                break  # what still waits needs a job that failed
            time.sleep(min(EVERY, max(0.0, end - time.monotonic())))
            for name in _ended(publishing):
                if not publishing.pop(name).returncode:
                    ready.add(name)
            for name in _ended(running):
                code = running.pop(name).returncode
                states[name] = "failed" if code else "done"
                echo(f"{name}: {states[name]}; {_last_line(out / f'{name}.log')}")
                if name in needed - ready and not code:
                    publishing[name] = _publish(
                        name, jobs[name], data, out, folders[name]
                    )
    finally:
        for process in (*running.values(), *publishing.values()):
            process.kill()
            process.wait()
        for name in running:
            states[name] = "cut off"
            echo(f"{name}: cut off; {_last_line(out / f'{name}.log')}")
    return states


def archive(
    names: Iterable[str], out: PathLike, folder: PathLike, megabytes: float = 15
) -> list[pathlib.Path]:
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


def _needs(jobs, name, presets):
    """The jobs whose presets a job starts from."""
    given = jobs[name]
    paths = [
        pathlib.Path(value)
        for option, value in zip(given, given[1:])
        if option in ("--weights", "--teacher")
    ]
    folder = None if presets is None else pathlib.Path(presets)
    return {path.name for path in paths if path.parent == folder} & set(jobs)


def _ended(processes):
    return [name for name, process in processes.items() if process.poll() is not None]


def _start(name, arguments, data, out):
    command = ["train", *arguments, "--out", str(out / name), "--resume"]
    if "--data" not in arguments:
        command += ["--data", str(data)]
    return _rcn_keras(command, out / f"{name}.log")


def _publish(name, arguments, data, out, preset):
    if "--data" in arguments:
        data = arguments[arguments.index("--data") + 1]
    command = ["make-preset", str(out / name), "--data", str(data)]
    return _rcn_keras([*command, "--out", str(preset)], out / f"{name}.log")


def _rcn_keras(arguments, log):
    # Several processes share the accelerator's memory.
    environment = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **os.environ}
    with log.open("a", encoding="utf-8") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "rcn_keras", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        )


def _last_line(path):
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")
