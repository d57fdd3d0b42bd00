"""`rcn-keras bulk`."""

import argparse
import json
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import progress, quiet_workers, say

HELP = "Keypoints of any number of photographs, on Apache Beam; resumable."
EXAMPLE = "rcn-keras bulk 'photos/**.jpg' found --saved-model saved_models/rcn6_mtfl"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        metavar="PATTERN",
        help="the photographs, in quotes: 'photos/*.jpg', 'gs://bucket/**.png'",
    )
    parser.add_argument("output", metavar="OUTPUT", help="folder of the answers")
    parser.add_argument(
        "--saved-model",
        required=True,
        help="folder of an exported model (its highest version), or of a version",
    )
    parser.add_argument(
        "--shard-size",
        type=arguments.whole(1),
        help="photographs in one file of answers, which is what a stop may lose "
        "(default: a sixteenth of them, 100 at most)",
    )
    parser.add_argument("--boxes", type=pathlib.Path, help="as those of predict")
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


def run(options: argparse.Namespace) -> int:
    from rcn_keras.errors import InputError

    # A pattern without quotes comes as the names of many files.
    if options.others and not options.others[0].startswith("-"):
        raise InputError(
            f"one pattern and one output are wanted, and then Beam's options. Received "
            f"also: {options.others[0]}. Put the pattern in quotes"
        )
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
    print(json.dumps(summary))
    if failed := summary["failed"]:
        say(f"failed: {failed}, see {options.output}/failed-*.jsonl")
        return 1 if failed < summary["photographs"] else 2
    return 0
