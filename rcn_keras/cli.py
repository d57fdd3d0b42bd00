"""`rcn-keras`: one function a command."""

import json
import os
import pathlib
import sys

from rcn_keras.cli_output import (
    cropped,
    draw,
    one_line,
    progress,
    quiet_workers,
    reported,
    say,
)
from rcn_keras.cli_parser import build_parser
from rcn_keras.cli_training import (
    join,
    make_preset,
    pack,
    reproduce,
    train,
    train_many,
)


def main(arguments=None):
    """Runs a command line; returns the exit code.

    0: done. 1: some of the images failed, the rest was done. 2: nothing could be done.
    """
    parser = build_parser(COMMANDS)
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "bulk":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    options.others = others
    from rcn_keras.errors import InputError

    try:
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


def predict(options):
    """Keypoints of photographs as JSON lines, and drawn."""
    from rcn_keras.errors import InputError
    from rcn_keras.faces.box_file import boxes_of, read_boxes
    from rcn_keras.faces.images import list_images, read_image
    from rcn_keras.files import check_writable

    paths, failed = [], 0
    for path in map(pathlib.Path, options.photos):
        try:
            paths += list_images(path) if path.is_dir() else [path]
        except InputError as error:
            failed += 1
            say(f"error: {error}")
    boxes = read_boxes(options.boxes) if options.boxes else None
    if options.out:
        check_writable(options.out)
        if any(path.parent.resolve() == options.out.resolve() for path in paths):
            raise InputError(
                f"{options.out}: the drawn pictures could take the place of the "
                "photographs in it; name another folder"
            )
    detect = None if boxes is not None else options.detector or "mtcnn"
    predictor = _predictor(options.preset, detect, options.server)
    done, drawn = 0, set()
    for number, path in enumerate(paths, 1):
        if len(paths) > 1:
            progress(number, len(paths), "photographs")
        try:
            image = read_image(path)
            given = None if boxes is None else boxes_of(boxes, path)
            # To a server goes the file, as it is where it can.
            faces = predictor(path if options.server else image, given)
        except InputError as error:
            failed += 1
            text = one_line(error).removeprefix("image 0: ")
            named = text if str(path) in text else f"{path}: {text}"
            say(f"error: {named}")
            continue
        done += 1
        faces = [face.as_dict() for face in faces]
        if not faces:
            say(f"{path}: no face found")
        print(json.dumps({"image": str(path), "faces": faces}), flush=True)
        if options.out:
            draw(image, faces, predictor.layout, options.out, path, drawn)
    if failed:
        return 1 if done else 2
    return 0


def bulk(options):
    """Keypoints of any number of photographs, on Apache Beam; goes on after a stop."""
    from rcn_keras.errors import InputError

    # A pattern without quotes comes as the names of many files.
    if options.others and not options.others[0].startswith("-"):
        raise InputError(
            f"one pattern and one output are wanted, and then Beam's options. Received "
            f"also: {options.others[0]}. Put the pattern in quotes"
        )
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
        )
    print(json.dumps(summary))
    if failed := summary["failed"]:
        say(f"failed: {failed}, see {options.output}/failed-*.jsonl")
        return 1 if failed < summary["photographs"] else 2
    return 0


def evaluate(options):
    """All metrics of a network on a set, under every protocol."""
    from rcn_keras.data.sets import LAYOUTS, full_name, load_test_set
    from rcn_keras.errors import InputError
    from rcn_keras.evaluation import protocols, tables
    from rcn_keras.files import check_writable, replaced
    from rcn_keras.layout import FACE_68
    from rcn_keras.presets import load_preset

    preset = load_preset(options.model)
    layout = preset.model.layout
    needed = LAYOUTS.get(options.set, layout)
    if needed.name != layout.name:
        raise InputError(
            f"{preset.name} finds {layout.count} keypoints ({layout.name}); the faces "
            f"of {options.set} have {needed.count} ({needed.name})"
        )
    sees = preset.config["model"] != "denoiser"
    if options.border_snap and not (sees and needed.name == FACE_68.name):
        raise InputError("--border-snap is for networks that see faces of 68 points")
    # Made and tried first: better no detector before the work than after it.
    predictor = None
    if sees and not options.no_detector:
        predictor = _predictor(options.model, options.detector or "mtcnn")
    if options.json:
        check_writable(options.json.parent)
    if options.csv:
        tables.check_rows_file(options.csv)
    crops = reported(
        load_test_set(options.data, options.set, cropped, needed, options.allow_missing)
    )
    shift = protocols.label_shift(options.set)
    errors, confidence = protocols.with_true_boxes(preset, crops, shift)
    if options.border_snap:
        from rcn_keras.reproduction.snapping import border_snapped_errors

        errors |= border_snapped_errors(preset.model, crops)
    if predictor:
        errors |= protocols.detector_boxes(
            predictor, crops, shift, lambda i, n: progress(i, n, "faces")
        )
    report = protocols.report(preset.name, options.set, errors, confidence)
    report["set_name"] = full_name(options.data, options.set, crops)
    parts = [report]
    if options.set == "300w":
        parts = protocols.subset_reports(preset.name, crops.faces, errors, confidence)
        report["subsets"] = {part["set"]: part for part in parts}
    if options.json:
        with replaced(options.json) as temporary:
            temporary.write_text(json.dumps(report, indent=2) + "\n")
    for part in parts:
        print(tables.protocol_table(part, preset.config.get("paper", {})))
        if options.csv:
            tables.write_rows(options.csv, part, preset.config)
    return 0


def export(options):
    """Writes a network for TensorFlow Serving, ONNX Runtime or LiteRT."""
    from rcn_keras.errors import InputError
    from rcn_keras.export.formats import export_model

    settings = (options.format, options.version, options.quantize, options.force)
    try:
        print(export_model(options.model, options.folder, *settings))
    except ValueError as error:
        raise InputError(str(error)) from None
    return 0


def demo_data(options):
    """Writes a small set of drawn faces in the layout of MTFL, or of 300-W."""
    from rcn_keras.data.synthetic import write_300w, write_mtfl
    from rcn_keras.errors import InputError
    from rcn_keras.layout import FACE_68, FACES

    if options.folder.is_dir() and any(options.folder.iterdir()):
        raise InputError(f"{options.folder}: is not empty; name a new folder")
    if FACES[options.keypoints].name == FACE_68.name:
        per_set = max(-(-options.faces // 6), 4)  # A split takes ten for training.
        write_300w(options.folder, per_set=per_set, seed=options.seed)
        print(f"{options.folder}: {per_set} faces in each of 300-W's six sets, drawn")
        return 0
    write_mtfl(options.folder, training=options.faces, seed=options.seed)
    print(f"{options.folder}: {options.faces} training faces and a test set, drawn")
    return 0


def info(options):
    """What is installed, and what a preset is."""
    import keras

    import rcn_keras
    from rcn_keras.presets import load_preset

    print(f"rcn_keras {rcn_keras.__version__}, keras {keras.__version__}")
    print(f"backend {keras.backend.backend()}, python {sys.version.split()[0]}")
    for name in [options.preset] if options.preset else rcn_keras.list_presets():
        preset = load_preset(name)
        print(f"\n{name}: {preset.model.count_params():,} parameters")
        print(json.dumps(preset.config, indent=2))
    return 0


def show_list(options):
    """The presets and the recipes."""
    from rcn_keras.presets import list_presets
    from rcn_keras.training.recipes import RECIPES, layout

    print("presets:")
    for name in list_presets():
        print(f"  {name}")
    print(
        "recipes (keypoints; epochs; the paper's error in %, paper grid, on AFLW or on "
        "300-W's common part):"
    )
    for name, recipe in RECIPES.items():
        paper = recipe.paper.get("aflw", recipe.paper.get("300w_common", ""))
        print(f"  {name:32} {layout(recipe).count:2} {recipe.epochs:4} {paper}")
    return 0


def _predictor(name, detector, server=None):
    from rcn_keras.errors import InputError
    from rcn_keras.faces.detect import get_detector
    from rcn_keras.predictor import Predictor

    try:
        detector = get_detector(detector) if detector else None
    except ValueError as error:
        raise InputError(str(error)) from None
    if server:
        from rcn_keras.serving.client import Client

        client = Client(server, pathlib.PurePath(name).name, detector=detector)
        # Tried first: better no server, or not this model, before the work.
        client.check()
        return client
    return Predictor.from_preset(name, detector=detector)


COMMANDS = {
    "predict": predict,
    "bulk": bulk,
    "evaluate": evaluate,
    "train": train,
    "reproduce": reproduce,
    "train-many": train_many,
    "pack": pack,
    "make-preset": make_preset,
    "join": join,
    "export": export,
    "demo-data": demo_data,
    "info": info,
    "list": show_list,
}


if __name__ == "__main__":
    sys.exit(main())
