"""`rcn-keras bulk`."""

import argparse
import json
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import progress, quiet_workers, say

HELP = "Finds the keypoints of many photographs, on Beam (resumable) or Spark."
EXAMPLE = "rcn-keras bulk 'photos/**.jpg' found --saved-model saved_models/rcn6_mtfl"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        metavar="PATTERN",
        help="the photographs, in quotes: 'photos/*.jpg', 'gs://bucket/**.png'",
    )
    parser.add_argument("output", metavar="OUTPUT", help="folder for the results")
    parser.add_argument(
        "--saved-model",
        required=True,
        help="folder of an exported model (its highest version), or of a version",
    )
    parser.add_argument(
        "--shard-size",
        type=arguments.whole(1),
        help="photographs in one file of results; a stopped job loses its unfinished "
        "files (default: a sixteenth of them, 100 at most)",
    )
    parser.add_argument(
        "--boxes", type=pathlib.Path, help="face boxes, as for `predict --boxes`"
    )
    arguments.detection(parser)
    parser.add_argument(
        "--workers",
        type=arguments.whole(1),
        default=1,
        help="processes on this machine (default: %(default)s)",
    )
    parser.add_argument(
        "--runner",
        default="DirectRunner",
        help="of Beam: SparkRunner, FlinkRunner, DataflowRunner ... (default: this "
        "machine). Its own options follow as --name=value",
    )
    parser.add_argument(
        "--engine", choices=["beam", "spark"], default="beam", help="default: beam"
    )
    parser.add_argument(
        "--master",
        metavar="URL",
        default="local[*]",
        help="spark: of the cluster, spark://HOST:PORT (default: this machine)",
    )
    parser.add_argument(
        "--format",
        choices=["jsonl", "parquet"],
        default="jsonl",
        help="spark: of the results, rows of path, faces and error (default: jsonl)",
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.errors import InputError

    # A pattern without quotes comes as the names of many files.
    if options.others and not options.others[0].startswith("-"):
        raise InputError(
            f"one pattern and one output are wanted, and then Beam's options. Received "
            f"also: {options.others[0]}. Put the pattern in quotes"
        )
    if options.engine == "spark":
        return _run_on_spark(options)
    notes = []
    with quiet_workers():
        from rcn_keras.bulk.run import run_bulk

        summary = run_bulk(
            options.photos,
            options.output,
            options.saved_model,
            pipeline_arguments=options.others,
            shard_size=options.shard_size,
            detector=options.detector,
            boxes=options.boxes,
            runner=options.runner,
            workers=options.workers,
            progress=lambda done, total: progress(done, total, "shards"),
            report=notes.append,
        )
    for note in notes:
        say(note)
    return _report(summary, f"{options.output}/failed-*.jsonl")


def _run_on_spark(options):
    from rcn_keras.errors import InputError

    beams = [options.boxes, options.shard_size, *options.others]
    if any(beams) or options.workers != 1:
        raise InputError(
            "--boxes, --shard-size, --workers and a runner's options are for Beam"
        )
    with quiet_workers():
        from rcn_keras.bulk import spark

        summary = spark.run(
            options.photos,
            options.output,
            options.saved_model,
            options.detector,
            options.master,
            options.format,
        )
    return _report(summary, f"the column `error` in {options.output}")


def _report(summary, place):
    print(json.dumps(summary))
    if failed := summary["failed"]:
        say(f"failed: {failed}, see {place}")
        return 1 if failed < summary["photographs"] else 2
    return 0
