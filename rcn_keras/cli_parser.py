"""The options of `rcn-keras`, command by command."""

import argparse
import pathlib

EXAMPLES = """examples:
  rcn-keras predict photo.jpg --out drawn       keypoints as JSON, pictures in drawn/
  rcn-keras predict photos/ > keypoints.jsonl   a folder, one JSON object a line
  rcn-keras predict photo.jpg --server localhost:8500   by a TensorFlow model server
  rcn-keras bulk 'photos/**.jpg' found --saved-model saved_models/rcn6_mtfl
  rcn-keras evaluate rcn6_mtfl --data MTFL --set aflw
  rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6
  rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6 --resume
  rcn-keras evaluate joint_300w --data 300W --set 300w --allow-missing
  rcn-keras demo-data demo && rcn-keras train demo --data demo --out runs/demo

exit codes: 0 done (faces left out of a set are told of on standard error),
1 some of the photographs failed, 2 nothing could be done
"""


def build_parser(commands):
    """The parser of a command line.

    Args:
        commands: dict, name to the function that takes the parsed options; the first
            line of its docstring is the help.
    """
    from rcn_keras import __version__
    from rcn_keras.layout import FACES

    parser = argparse.ArgumentParser(
        prog="rcn-keras",
        description="Facial keypoints with Recombinator Networks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    named = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, example):
        run = commands[name]
        added = named.add_parser(
            name,
            help=run.__doc__.splitlines()[0],
            description=run.__doc__,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added

    def detection(to):
        to.add_argument(
            "--detector",
            metavar="NAME",
            help="mtcnn (default), or the path of YuNet's .onnx file",
        )

    def data(to):
        to.add_argument(
            "--data", type=pathlib.Path, required=True, help="folder of the data set"
        )
        to.add_argument(
            "--allow-missing",
            action="store_true",
            help="go on without those folders of 300-W that are not there",
        )

    def overrides(to):
        to.add_argument("--epochs", type=_whole(1), help="in place of the recipe's")
        to.add_argument("--seed", type=_whole(0), help="in place of the recipe's")
        to.add_argument("--batch-size", type=_whole(1), help="in place of the recipe's")
        to.add_argument(
            "--patience", type=_whole(1), help="stop after so many bad epochs"
        )
        to.add_argument(
            "--precision",
            choices=["auto", "float32", "mixed_bfloat16", "mixed_float16"],
            help="in place of the recipe's; auto: bfloat16 where this machine has "
            "hardware for it",
        )

    added = command("predict", "rcn-keras predict photo.jpg --out drawn")
    added.add_argument("photos", nargs="+", metavar="PHOTO|FOLDER")
    added.add_argument("--out", type=pathlib.Path, help="folder for drawn pictures")
    added.add_argument(
        "--boxes",
        type=pathlib.Path,
        help='face boxes in place of a detector: JSON {"photo.jpg": [[x0,y0,x1,y1]]}, '
        "or the lines that predict prints",
    )
    added.add_argument(
        "--preset",
        default="rcn6_mtfl",
        help="a preset's name or folder (default: %(default)s)",
    )
    added.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="keypoints by a TensorFlow model server that serves the preset under its "
        "name: HOST:PORT for gRPC, http://HOST:PORT for REST",
    )
    detection(added)

    added = command(
        "bulk",
        "rcn-keras bulk 'photos/**.jpg' found --saved-model saved_models/rcn6_mtfl",
    )
    added.add_argument(
        "photos",
        metavar="PATTERN",
        help="the photographs, in quotes: 'photos/*.jpg', 'gs://bucket/**.png'",
    )
    added.add_argument("output", metavar="OUTPUT", help="folder of the answers")
    added.add_argument(
        "--saved-model",
        required=True,
        help="folder of an exported model (its highest version), or of a version",
    )
    added.add_argument(
        "--shard-size",
        type=_whole(1),
        help="photographs in one file of answers, which is what a stop may lose "
        "(default: a sixteenth of them, 100 at most)",
    )
    added.add_argument("--boxes", type=pathlib.Path, help="as those of predict")
    detection(added)
    added.add_argument(
        "--workers",
        type=_whole(1),
        default=1,
        help="processes on this machine (default: %(default)s)",
    )
    added.add_argument(
        "--runner",
        default="DirectRunner",
        help="of Beam: SparkRunner, FlinkRunner, DataflowRunner ... (default: this "
        "machine). Its own options follow as --name=value",
    )

    added = command("evaluate", "rcn-keras evaluate rcn6_mtfl --data MTFL --set aflw")
    added.add_argument("model", help="a preset's name or folder")
    data(added)
    added.add_argument(
        "--set",
        choices=["aflw", "afw", "300w", "validation"],
        required=True,
        help="validation: what training holds out, of MTFL or 300-W as the preset",
    )
    added.add_argument(
        "--border-snap",
        action="store_true",
        help="300w: also as the original did, with the truth's points at the border",
    )
    added.add_argument("--json", type=pathlib.Path, help="file for the numbers")
    added.add_argument("--csv", type=pathlib.Path, help="results file to put rows into")
    added.add_argument(
        "--no-detector", action="store_true", help="leave the detector protocol out"
    )
    detection(added)

    added = command(
        "train",
        "rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6\n"
        "  rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6 --resume\n"
        "  rcn-keras train rcn6_mtfl --data faces --weights rcn6_mtfl --out runs/own",
    )
    added.add_argument("recipe", help="see `rcn-keras list`")
    data(added)
    added.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the run"
    )
    added.add_argument("--resume", action="store_true", help="go on after a stop")
    added.add_argument(
        "--weights",
        metavar="PRESET",
        help="name or folder of a preset whose network goes on: your faces in --data, "
        "say, and rcn6_mtfl here",
    )
    added.add_argument(
        "--teacher",
        metavar="PRESET",
        help="name or folder of a preset whose maps are learned beside the labels: of "
        "a wider network, say",
    )
    overrides(added)
    added.add_argument(
        "--multi-gpu", action="store_true", help="all GPUs, by MirroredStrategy"
    )

    added = command(
        "reproduce",
        "rcn-keras reproduce table2 --data MTFL --out runs --epochs 20\n"
        "  rcn-keras reproduce table3 --data MTFL --afw 300W/afw --out runs\n"
        "  rcn-keras reproduce table4 --data 300W --out runs --allow-missing",
    )
    tables = [f"table{number}" for number in range(1, 5)]
    added.add_argument(
        "table", choices=tables, help="of the paper: 1 to 3 take MTFL, 4 takes 300-W"
    )
    data(added)
    added.add_argument(
        "--afw",
        type=pathlib.Path,
        help="folder of AFW, or of 300-W for AFW-337: tables 1 to 3 on it too",
    )
    added.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the trainings"
    )
    added.add_argument(
        "--results",
        type=pathlib.Path,
        help="results file; rows that it holds are not made again (default: TABLE.csv "
        "in the folder of the trainings)",
    )
    added.add_argument(
        "--recipes", nargs="+", metavar="RECIPE", help="some of the table's rows"
    )
    overrides(added)

    added = command(
        "pack",
        "rcn-keras pack --data MTFL --out packed\n"
        "  rcn-keras train rcn6_mtfl --data packed --out runs/rcn6",
    )
    data(added)
    added.add_argument(
        "--keypoints",
        type=int,
        choices=list(FACES),
        default=5,
        help="5, of MTFL (default), or 68, of 300-W",
    )
    added.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the packed faces"
    )
    added.add_argument(
        "--megabytes",
        type=_whole(1),
        default=28,
        help="largest file in MiB (default: %(default)s)",
    )

    added = command(
        "train-many",
        "rcn-keras train-many jobs.txt --data packed --out runs --minutes 9\n"
        "  jobs.txt, a training a line:   seed1: rcn6_mtfl --seed 1",
    )
    added.add_argument(
        "jobs", type=pathlib.Path, metavar="JOBS", help="file of NAME: RECIPE [options]"
    )
    added.add_argument(
        "--data", required=True, type=pathlib.Path, help="folder of the data set"
    )
    added.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the runs"
    )
    added.add_argument(
        "--parallel",
        type=_whole(1),
        default=7,
        help="trainings at a time (default: %(default)s)",
    )
    added.add_argument(
        "--minutes",
        type=float,
        default=float("inf"),
        help="end what still runs after so many; called again, it is resumed",
    )
    added.add_argument(
        "--archive",
        type=pathlib.Path,
        help="folder of tar files with the weights and logs, 15 MiB each",
    )

    added = command(
        "make-preset", "rcn-keras make-preset runs/rcn6 --data MTFL --out my_preset"
    )
    added.add_argument(
        "run_folder", type=pathlib.Path, metavar="RUN", help="what train left"
    )
    data(added)
    added.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the preset"
    )
    added.add_argument(
        "--results", type=pathlib.Path, help="results file, for the model card"
    )

    added = command(
        "join", "rcn-keras join rcn5_300w denoiser_300w --data 300W --out joint"
    )
    added.add_argument("rcn", help="an RCN preset's name or folder")
    added.add_argument("denoiser", help="a denoiser preset's name or folder")
    data(added)
    added.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the preset"
    )
    added.add_argument(
        "--results", type=pathlib.Path, help="results file, for the model card"
    )

    added = command("export", "rcn-keras export rcn6_mtfl saved_models/rcn6_mtfl")
    added.add_argument(
        "model",
        help="a preset's name or folder, or a .keras file",
    )
    added.add_argument("folder", type=pathlib.Path, help="where to write")
    added.add_argument(
        "--format",
        choices=["saved_model", "onnx", "litert"],
        default="saved_model",
        help="default: %(default)s, FOLDER/VERSION/, as TensorFlow Serving wants it",
    )
    added.add_argument(
        "--version", type=_whole(1), default=1, help="of a SavedModel; default 1"
    )
    added.add_argument(
        "--quantize", action="store_true", help="litert: weights as 8-bit integers"
    )
    added.add_argument(
        "--force", action="store_true", help="replace what is there already"
    )

    added = command("demo-data", "rcn-keras demo-data demo")
    added.add_argument("folder", type=pathlib.Path)
    added.add_argument(
        "--faces",
        type=_whole(10),
        default=600,
        help="for training; of 68 points in all (default: %(default)s)",
    )
    added.add_argument(
        "--keypoints",
        type=int,
        choices=list(FACES),
        default=5,
        help="5, laid out as MTFL (default), or 68, laid out as 300-W",
    )
    added.add_argument("--seed", type=_whole(0), default=0)

    added = command("info", "rcn-keras info rcn6_mtfl")
    added.add_argument("preset", nargs="?")

    command("list", "rcn-keras list")
    return parser


def _whole(least):
    """What argparse takes for a whole number of at least `least`."""

    def whole(text):
        if int(text) < least:
            raise argparse.ArgumentTypeError(
                f"must be at least {least}. Received: {text}"
            )
        return int(text)

    return whole
