"""`rcn-keras`: one file a command, its options and what it does side by side."""

import argparse
import os
import sys

from rcn_keras.cli import (
    align,
    bulk,
    demo_data,
    download,
    evaluate,
    export,
    info,
    join,
    layout,
    make_preset,
    pack,
    predict,
    reproduce,
    show_list,
    train,
    train_many,
    video,
)
from rcn_keras.cli.output import one_line, say
from rcn_keras.cli.start import start_keras

COMMANDS = {
    "predict": predict,
    "video": video,
    "align": align,
    "bulk": bulk,
    "evaluate": evaluate,
    "layout": layout,
    "train": train,
    "reproduce": reproduce,
    "train-many": train_many,
    "pack": pack,
    "make-preset": make_preset,
    "join": join,
    "export": export,
    "demo-data": demo_data,
    "download": download,
    "info": info,
    "list": show_list,
}

# These import Keras where they need it.
WITHOUT_KERAS = ("predict", "video", "align", "info", "download", "list")

EXAMPLES = """examples:
  rcn-keras predict photo.jpg --out drawn       keypoints as JSON, pictures in drawn/
  rcn-keras predict photos/ > keypoints.jsonl   a folder, one JSON object a line
  rcn-keras predict 'photos/*.jpg' --format csv --to faces.csv
  rcn-keras video film.mp4 --out drawn.mp4 --jsonl faces.jsonl
  rcn-keras align photo.jpg --out faces         upright crops for face recognition
  rcn-keras predict photo.jpg --server localhost:8500   by a TensorFlow model server
  rcn-keras bulk 'photos/**.jpg' keypoints --saved-model saved_models/rcn6_mtfl
  rcn-keras evaluate rcn6_mtfl --data MTFL --set aflw
  rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6
  rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6 --resume
  rcn-keras layout points.csv && rcn-keras train own --data points.csv --out runs/own
  rcn-keras evaluate joint_300w --data 300W --set 300w --allow-missing
  rcn-keras demo-data demo && rcn-keras train demo --data demo --out runs/demo

exit codes: 0 done (faces left out of a set are reported on stderr),
1 some of the photographs failed, 2 nothing could be done
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line; returns the exit code.

    0: done. 1: some of the images failed, the rest was done. 2: nothing could be done.
    """
    parser = build_parser()
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "bulk":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    options.others = others
    from rcn_keras.errors import InputError

    try:
        if options.command not in WITHOUT_KERAS:
            start_keras()
        return options.run(options) or 0
    except BrokenPipeError:
        # The reader of our output went away; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except (InputError, OSError, ImportError) as error:
        say(f"error: {one_line(error)}")
        return 2
    except Exception as error:
        # Not foreseen: one line for the user all the same, the rest for who asks.
        if os.environ.get("RCN_KERAS_TRACEBACK"):
            raise
        say(
            f"error: {type(error).__name__}: {one_line(error)} "
            "(RCN_KERAS_TRACEBACK=1 shows where)"
        )
        return 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of a command line; a command's help is its `HELP`."""
    from rcn_keras import __version__

    parser = argparse.ArgumentParser(
        prog="rcn-keras",
        description="Facial keypoints with Recombinator Networks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    named = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = named.add_parser(
            name,
            help=command.HELP.splitlines()[0],
            description=command.HELP,
            epilog=f"example:\n  {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_options(added)
        added.set_defaults(run=command.run)
    return parser
