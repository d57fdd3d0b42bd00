"""`rcn-keras evaluate`."""

import argparse
import json
import pathlib

from rcn_keras.cli import arguments, own_data
from rcn_keras.cli.output import cropped, progress, reported
from rcn_keras.cli.predictors import make_predictor

HELP = "Measures a network on a data set, under every protocol."
EXAMPLE = "rcn-keras evaluate rcn6_mtfl --data MTFL --set aflw"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a preset's name or folder")
    arguments.data(parser)
    own_data.reading_options(parser)
    parser.add_argument(
        "--set",
        choices=["aflw", "afw", "300w", "validation", "all"],
        required=True,
        help="validation: the part of MTFL, 300-W or a file of keypoints that training "
        "holds out; all: every instance of a file of keypoints",
    )
    parser.add_argument(
        "--border-snap",
        action="store_true",
        help="300w: also as the original did, with the truth's points at the border",
    )
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers")
    parser.add_argument(
        "--csv", type=pathlib.Path, help="CSV file of results; rows are added to it"
    )
    parser.add_argument(
        "--no-detector", action="store_true", help="leave the detector protocol out"
    )
    # As in all published numbers.
    arguments.detection(parser, default="mtcnn")


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.own import is_own
    from rcn_keras.data.sets import LAYOUTS, full_name, load_test_set
    from rcn_keras.errors import InputError
    from rcn_keras.evaluation import protocols, reports, tables
    from rcn_keras.files import check_writable, replaced
    from rcn_keras.layout import FACE_68, KeypointLayout
    from rcn_keras.presets import load_preset

    preset = load_preset(options.model)
    layout: KeypointLayout = preset.model.layout
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
    if sees and layout.detector_square and not options.no_detector:
        predictor = make_predictor(options.model, options.detector)
    if options.json:
        check_writable(options.json.parent)
    if options.csv:
        tables.check_rows_file(options.csv)
    crops = reported(
        load_test_set(
            options.data,
            options.set,
            cropped,
            needed,
            options.allow_missing,
            preset.model.input_size,
            **own_data.reading(options),
        )
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
    report = reports.report(preset.name, options.set, errors, confidence)
    report["set_name"] = full_name(options.data, options.set, crops)
    parts = [report]
    if options.set == "300w":
        parts = reports.subset_reports(preset.name, crops.faces, errors, confidence)
        report["subsets"] = {part["set"]: part for part in parts}
    if options.json:
        with replaced(options.json) as temporary:
            temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    own = layout if is_own(options.data) else None
    for part in parts:
        print(tables.protocol_table(part, preset.config.get("paper", {}), own))
        if options.csv:
            tables.write_rows(options.csv, part, preset.config)
    return 0
