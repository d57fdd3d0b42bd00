"""What another denoiser changes in the joint model, on 300-W.

    rcn-keras make-preset runs/denoiser_300w_full --data 300W --out full
    rcn-keras join rcn5_300w full --data 300W --out joint_full
    python benchmarks/denoisers.py --data 300W --presets joint_300w joint_full

The paper's denoiser has twenty times the parameters of the one that is shipped. Each
joint model is measured on the 300-W validation faces, by which its factor was fitted,
and on the test faces, for reporting; boxes from the true keypoints, 68 points over the
distance of the eye centres, on the pictures as they are and with a black rectangle on
each from a fixed seed. "joint, weight 1" adds the denoiser's maps as they are, as in
the paper. "35 moved" is the denoiser by itself: the true keypoints go in, 35 of them
moved anywhere, and the error is theirs. `less_first` is the mean difference to the
first preset on the same faces, with its 95 % bootstrap interval: below zero is better.
"""

import common
import numpy as np

from rcn_keras.data import three_hundred_w
from rcn_keras.data.sets import load_test_set
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import bootstrap_interval
from rcn_keras.evaluation.protocols import ground_truth_boxes_68, moved_keypoints
from rcn_keras.layout import FACE_68
from rcn_keras.models import JointModel
from rcn_keras.presets import load_preset

MEASURED = {
    ("plain", "paper grid"): "paper_grid",
    ("plain", "sub-pixel"): "subpixel",
    ("occluded", "paper grid"): "paper_grid_occluded",
    ("occluded", "sub-pixel"): "subpixel_occluded",
}


def main():
    example = (
        "python benchmarks/denoisers.py --data 300W --presets joint_300w joint_full"
    )
    parser = common.parser(__doc__, example)
    parser.add_argument(
        "--presets", nargs="+", required=True, help="names or folders of joint models"
    )
    common.count_option(parser, "--faces", None, "faces of each set, for a trial")
    options = parser.parse_args()
    presets = [load_preset(name) for name in options.presets]
    for preset in presets:
        if not isinstance(preset.model, JointModel):
            raise InputError(f"{preset.name}: expected the preset of a joint model")
    rows = []
    for part, crops in sets(options.data, options.faces):
        first = None
        for preset in presets:
            common.say(f"{part}, {len(crops)} faces: {preset.name}")
            errors = denoiser_errors(preset.model, crops)
            first = first or errors
            given = {**facts(preset), "part": part}
            rows += table(errors, first, given)
    print(common.markdown(rows))
    common.write_rows(options.results / "denoisers.csv", rows)


def sets(folder, count):
    """The validation faces and each part of the test faces, at most `count` of each."""
    crops = load_test_set(folder, "validation", layout=FACE_68, allow_missing=True)
    yield "validation", crops.take(range(len(crops))[:count])
    crops = load_test_set(folder, "300w", allow_missing=True)
    for failure in crops.failures:
        common.say(f"left out: {failure}")
    for part, mask in three_hundred_w.subset_masks(crops.faces).items():
        yield part, crops.take(np.flatnonzero(mask)[:count])


def facts(preset):
    """What is known of a joint model's denoiser."""
    part = preset.config["parts"]["denoiser"]
    return {
        "preset": preset.name,
        "denoiser": part["name"],
        "parameters": preset.model.denoiser.count_params(),
        "epochs": part["trained_epochs"],
        "seed": part["recipe"]["seed"],
        "factor": preset.model.denoiser_weight,
        "training_device": part["trained_on"]["device"],
        "training_date": part["trained_on"]["date"],
        "training_command": part["trained_on"]["command"],
    }


def denoiser_errors(joint, crops):
    """The errors of a joint model and of its denoiser.

    Returns:
        dict, `(network, pictures, protocol)` to `(N,)`, the mean of each face.
    """
    as_is = JointModel(joint.rcn, joint.denoiser, decoder=joint.decoder)
    errors = {}
    for name, network in {"joint": joint, "joint, weight 1": as_is}.items():
        found = ground_truth_boxes_68(network, crops)
        for kind, protocol in MEASURED.items():
            errors[name, *kind] = found[protocol].mean(axis=1)
    moved = moved_keypoints(joint.denoiser, crops, counts=(35,))["moved_35"]
    errors["35 moved", "", "sub-pixel"] = np.nanmean(moved, axis=1)
    return errors


def table(errors, first, given):
    """Rows of the table.

    Args:
        errors, first: dicts, as from `denoiser_errors`, of a joint model and of the one
            that it is compared with.
        given: dict, further columns.
    """
    rows = []
    for kind, faces in errors.items():
        less = 100 * (faces - first[kind])
        low, high = bootstrap_interval(less)
        same = errors is first
        rows.append(
            {
                **given,
                **dict(zip(("network", "pictures", "protocol"), kind)),
                "faces": len(faces),
                "nme_percent": round(100 * faces.mean(), 4),
                "less_first": "" if same else round(less.mean(), 4),
                "less_first_ci95": "" if same else f"{low:.4f} ... {high:.4f}",
            }
        )
    return rows


if __name__ == "__main__":
    common.run(main)
