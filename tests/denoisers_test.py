"""`benchmarks/denoisers.py`: joint models with different denoisers, compared."""

import sys

import denoisers
import numpy as np
import pytest

from rcn_keras import JointModel, build_denoiser, build_rcn
from rcn_keras.data import synthetic
from rcn_keras.errors import InputError


def test_table_by_hand():
    """The second denoiser halves the error of each of two faces."""
    kind = ("joint", "plain", "paper grid")
    first = {kind: np.array([0.02, 0.06])}
    second = {kind: np.array([0.01, 0.03])}
    given = {"preset": "full", "part": "common"}
    [row] = denoisers.table(second, first, given)
    assert row["preset"] == "full" and row["part"] == "common"
    assert (row["network"], row["pictures"], row["protocol"]) == kind
    assert row["faces"] == 2 and row["nme_percent"] == 2.0
    assert row["less_first"] == -2.0
    low, high = map(float, row["less_first_ci95"].split(" ... "))
    assert low == -3 and high == -1
    [row] = denoisers.table(first, first, given)
    assert row["nme_percent"] == 4.0
    assert row["less_first"] == row["less_first_ci95"] == ""


def test_errors_are_those_of_the_two_sums_and_of_the_denoiser(tmp_path, monkeypatch):
    def measured(network, crops):
        return {
            protocol: np.full((len(crops), 68), number + network.denoiser_weight)
            for number, protocol in enumerate(denoisers.MEASURED.values())
        }

    monkeypatch.setattr(denoisers, "ground_truth_boxes_68", measured)
    folder = synthetic.write_300w(tmp_path, per_set=4)
    parts = dict(denoisers.sets(folder, 2))
    assert list(parts) == ["validation", "common", "challenging", "full"]
    denoiser = build_denoiser(filters=(4,), kernel_size=5, pooling=4)
    joint = JointModel(build_rcn(4, keypoints=68), denoiser, denoiser_weight=0.5)
    errors = denoisers.denoiser_errors(joint, parts["common"])
    assert all(values.shape == (2,) for values in errors.values())
    for number, kind in enumerate(denoisers.MEASURED):
        assert (errors["joint", *kind] == number + 0.5).all()
        assert (errors["joint, weight 1", *kind] == number + 1.0).all()
    assert errors["35 moved", "", "sub-pixel"].min() > 0


def test_only_joint_models(monkeypatch):
    command = "denoisers.py --data nowhere --presets denoiser_300w"
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(
        InputError, match="denoiser_300w: expected the preset of a joint"
    ):
        denoisers.main()
