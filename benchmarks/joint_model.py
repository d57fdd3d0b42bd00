"""Table 4: RCN alone, the denoiser alone and the joint model on 300-W's test faces.

    python benchmarks/joint_model.py --data 300W --preset joint_300w

Boxes from the true keypoints; distances over that of the eye centres, as the paper has
it, and of the outer eye corners (the paper's errors of 68 and of 49 points do not fit
one normaliser); the paper's grid and sub-pixel; all 68 points and the 49 without
contour and inner mouth corners; the pictures as they are, and with a black rectangle
each, as in training, from a fixed seed. "joint, weight 1" adds the denoiser's maps as
they are, as in the paper, "joint" with the factor fitted on validation. "Denoiser
alone" gives RCN's likeliest cells to the denoiser and looks at nothing
else. `less_rcn` is the mean difference to RCN alone on the same faces, with its 95 %
bootstrap interval: below zero is better. The denoiser on true keypoints, some of them
moved: `rcn-keras evaluate denoiser_300w --set 300w`.
"""

import itertools

import common

from rcn_keras.data import three_hundred_w
from rcn_keras.data.sets import load_test_set
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import bootstrap_interval
from rcn_keras.evaluation.protocols import ground_truth_boxes_68
from rcn_keras.models import JointModel
from rcn_keras.models.joint import joint_networks
from rcn_keras.presets import load_preset
from rcn_keras.training.recipes import TABLE_4, TABLE_4_49

PROTOCOLS = {"paper grid": "paper_grid", "sub-pixel": "subpixel"}
NORMALIZERS = {"eye centres": "", "outer eye corners": "_outer_corners"}
PAPER = {68: TABLE_4, 49: TABLE_4_49}


def main():
    parser = common.parser(__doc__, "python benchmarks/joint_model.py --data 300W")
    parser.add_argument("--preset", default="joint_300w", help="default: %(default)s")
    options = parser.parse_args()
    preset = load_preset(options.preset)
    if not isinstance(preset.model, JointModel):
        raise InputError(f"{preset.name}: expected the preset of a joint model")
    crops = load_test_set(options.data, "300w", allow_missing=True)
    for failure in crops.failures:
        common.say(f"left out: {failure}")
    subsets = three_hundred_w.COMMON + three_hundred_w.CHALLENGING
    common.say(three_hundred_w.counts(crops.faces, subsets))
    masks = three_hundred_w.subset_masks(crops.faces)
    networks = joint_networks(preset.model)
    networks["joint, weight 1"] = JointModel(
        preset.model.rcn, preset.model.denoiser, denoiser_weight=1.0
    )
    measured = {}
    for name, network in networks.items():
        network.set_decoder(preset.model.decoder)
        measured[name] = ground_truth_boxes_68(network, crops)
    rows = []
    kinds = itertools.product(
        (("plain", ""), ("occluded", "_occluded")),
        ((68, ""), (49, "_49")),
        NORMALIZERS.items(),
    )
    for (pictures, occluded), (points, only), (normalizer, over) in kinds:
        errors = {
            (name, shown): found[f"{protocol}{only}{over}{occluded}"]
            for name, found in measured.items()
            for shown, protocol in PROTOCOLS.items()
        }
        given = {"points": points, "pictures": pictures, "normalizer": normalizer}
        rows += table(errors, masks, {"preset": preset.name} | given)
    print(common.markdown(rows))
    common.write_rows(options.results / "table4_joint.csv", rows)


def table(errors, masks, given):
    """Rows of the table.

    Args:
        errors: dict, `(network, protocol)` to `(N, K)` errors.
        masks: dict, part of the test set to `(N,)` bool.
        given: dict, further columns.
    """
    rows = []
    for part, mask in masks.items():
        for (name, protocol), values in errors.items():
            faces = 100 * values[mask].mean(axis=1)
            alone = 100 * errors["rcn", protocol][mask].mean(axis=1)
            low, high = bootstrap_interval(faces)
            row = {
                "network": name,
                "part": part,
                **given,
                "protocol": protocol,
                "faces": int(mask.sum()),
                "nme_percent": round(faces.mean(), 4),
                "ci95": f"{low:.4f} ... {high:.4f}",
                "less_rcn": "",
                "less_rcn_ci95": "",
                "paper_percent": "",
            }
            if name != "rcn":
                low, high = bootstrap_interval(faces - alone)
                row["less_rcn"] = round((faces - alone).mean(), 4)
                row["less_rcn_ci95"] = f"{low:.4f} ... {high:.4f}"
            paper = PAPER[given["points"]].get(name.split(",")[0])
            if paper and protocol == "paper grid" and given["pictures"] == "plain":
                row["paper_percent"] = paper[f"300w_{part}"]
            rows.append(row)
    return rows


if __name__ == "__main__":
    common.run(main)
