"""How well the face score tells faces from backgrounds, on held-out photographs.

    python benchmarks/face_score.py --data MTFL rcn6_mtfl
    python benchmarks/face_score.py --data MTFL rcn6_mtfl --fit

Faces: cut out by the true keypoints, as they are and jittered and occluded as in
training. Without a face: squares of the same photographs that hold no keypoint, and
pictures of uniform noise. The area under the curve does not depend on the two numbers
that are fitted on validation; the shares at a score of one half do.

With `--fit` these numbers are fitted anew instead, on the validation faces, and written
into the preset; its `model.onnx` is exported and its card written again.
"""

import json

import common
import numpy as np

from rcn_keras.data.backgrounds import background_crops
from rcn_keras.data.sets import full_name, load_test_set
from rcn_keras.evaluation.errors import auroc
from rcn_keras.evaluation.inference import run
from rcn_keras.export.formats import export_model
from rcn_keras.files import replaced
from rcn_keras.models.keypoint_model import compiled
from rcn_keras.presets import CONFIG, load_preset, preset_folder
from rcn_keras.presets.card import write_card
from rcn_keras.training.calibration import face_calibration
from rcn_keras.training.tasks import validation_sets

NOISE = 1000  # pictures


def main():
    parser = common.parser(
        __doc__, "python benchmarks/face_score.py --data MTFL rcn6_mtfl"
    )
    parser.add_argument("preset", help="name or folder")
    parser.add_argument("--set", default="validation", help="as that of evaluate")
    parser.add_argument("--fit", action="store_true", help="fit the preset's line anew")
    options = parser.parse_args()
    preset = load_preset(options.preset)
    crops = load_test_set(
        options.data,
        "validation" if options.fit else options.set,
        None,
        preset.model.layout,
        allow_missing=True,
        input_size=preset.model.input_size,
    )
    if options.fit:
        fit(preset, preset_folder(options.preset), crops, options.results)
        return
    first = {
        "preset": preset.name,
        "set": full_name(options.data, options.set, crops),
        "faces": len(crops),
    }
    rows = [first | row for row in measured(preset.model, crops)]
    print(common.markdown(rows))
    common.write_rows(options.results / "face_score.csv", rows)


def fit(preset, folder, crops, results):
    """Writes the line of the face score into a preset, and what depends on it."""
    sets = validation_sets(preset.config["model"], crops)
    config = preset.config | face_calibration(preset.model, sets, crops)
    with replaced(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    export_model(folder, format="onnx", force=True)
    accuracy = results / "accuracy.csv"
    write_card(folder, accuracy if accuracy.is_file() else None)
    common.say(f"{folder.name}: {config['face_calibration']}")


def measured(model, crops):
    """A row for each pair of faces and of crops without one."""
    network = compiled(model.input, model.decode(model.output))
    size, rng = model.input_size, np.random.default_rng(0)
    as_they_are, jittered = (each[0] for each in validation_sets("rcn", crops))
    noise = rng.integers(0, 256, (NOISE, size, size, 1)).astype("uint8")
    others = {"backgrounds": background_crops(crops), "noise": noise}
    found = {name: run(network, images) for name, images in others.items()}
    for kind, images in (("as they are", as_they_are), ("jittered", jittered)):
        scores = run(network, images)["face_score"]
        for name, other in found.items():
            without = other["face_score"]
            yield {
                "kind": kind,
                "against": name,
                "others": len(without),
                "auroc": f"{auroc(scores, without):.5f}",
                "faces_above_half_percent": f"{100 * np.mean(scores > 0.5):.2f}",
                "others_above_half_percent": f"{100 * np.mean(without > 0.5):.2f}",
                "highest_face_score_of_others": f"{without.max():.4f}",
                "highest_confidence_of_others": f"{other['confidence'].max():.4f}",
            }


if __name__ == "__main__":
    common.run(main)
