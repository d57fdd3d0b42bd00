"""`rcn-keras train-many`."""

import argparse
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import say

HELP = "Runs several trainings at once on one accelerator, within a time limit."
EXAMPLE = """\
rcn-keras train-many jobs.txt --data packed --out runs --minutes 9
  jobs.txt, a training a line:   seed1: rcn6_mtfl --seed 1
  rcn-keras train-many jobs.txt --data packed --out runs --presets presets
  of which the second waits for the first:
    wide: rcn6_wide
    small: rcn6_mtfl --teacher presets/wide"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "jobs", type=pathlib.Path, metavar="JOBS", help="file of NAME: RECIPE [options]"
    )
    parser.add_argument(
        "--data", required=True, type=pathlib.Path, help="folder of the data set"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the runs"
    )
    parser.add_argument(
        "--parallel",
        type=arguments.whole(1),
        default=7,
        help="trainings at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=float("inf"),
        help="stop after so many minutes; repeat the command to continue",
    )
    parser.add_argument(
        "--presets",
        type=pathlib.Path,
        help="folder of the presets that other jobs start from (--weights, --teacher)",
    )
    parser.add_argument(
        "--archive",
        type=pathlib.Path,
        help="folder of tar files with the weights and logs, 15 MiB each",
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.training.side_by_side import archive, read_jobs, train_side_by_side

    jobs = read_jobs(options.jobs)
    states = train_side_by_side(
        jobs,
        options.data,
        options.out,
        options.parallel,
        options.minutes,
        options.presets,
        echo=lambda line: print(line, flush=True),
    )
    if options.archive:
        for path in archive(jobs, options.out, options.archive):
            print(path)
    unfinished = [
        f"{name} {state}" for name, state in states.items() if state != "done"
    ]
    if unfinished:
        say(f"unfinished: {', '.join(unfinished)}")
        return 1 if len(unfinished) < len(jobs) else 2
    return 0
