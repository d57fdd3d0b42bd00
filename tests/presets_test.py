import csv
import json
import shutil

import keras
import numpy as np
import pytest

import rcn_keras
from rcn_keras import presets
from rcn_keras.data.batches import input_images
from rcn_keras.data.sets import load_test_set
from rcn_keras.data.synthetic import write_mtfl
from rcn_keras.errors import InputError
from rcn_keras.evaluation.inference import run
from rcn_keras.evaluation.protocols import (
    OCCLUSION,
    ground_truth_boxes,
    moved_keypoints,
)
from rcn_keras.layout import KeypointLayout
from rcn_keras.models import KeypointModel
from rcn_keras.presets.card import write_card
from rcn_keras.training.calibration import LEAST_BACKGROUNDS


@pytest.mark.parametrize("name", rcn_keras.list_presets())
def test_every_shipped_preset_is_whole(name):
    preset = presets.load_preset(name)
    assert preset.name == name
    model, config = preset.model, preset.config
    out = model(np.zeros((1, *model.input_shape[1:]), "float32"))
    assert out.shape == (1, 80, 80, model.layout.count)
    assert config["layout"] == model.layout.to_dict()
    assert config["decoder"] == model.decoder
    slope, offset = model.calibration
    assert 0.3 < slope < 3 and -3 < offset < 3
    if config["model"] != "denoiser":
        assert config["backgrounds"] >= LEAST_BACKGROUNDS
        assert model.face_calibration == tuple(config["face_calibration"])
    assert config["license"] and config["recipe"]["seed"] >= 0
    assert config["input"]["channels"] == preset.model.input_shape[-1]
    assert ("crop" in config) == (config["model"] != "denoiser")
    folder = presets.SHIPPED / name
    card = (folder / "README.md").read_text()
    assert card.startswith("---\n") and "research" in card
    if config["model"] == "joint":  # Its parts were trained.
        assert set(config["parts"]) == {"rcn", "denoiser"}
        return
    with (folder / "training_log.csv").open() as file:
        assert len(list(csv.DictReader(file))) == config["trained_epochs"]


def test_a_card_has_the_size_of_the_input(tmp_path):
    folder = tmp_path / "fine"
    shutil.copytree(presets.SHIPPED / "rcn6_mtfl", folder)
    config = presets.read_config(folder)
    config["arguments"]["input_size"] = config["input"]["size"] = 160
    (folder / "config.json").write_text(json.dumps(config))
    write_card(folder)
    card = (folder / "README.md").read_text()
    assert "160x160 pixels" in " ".join(card.split()) and "80x80" not in card


def test_cards_have_the_numbers_of_the_results():
    """Those of these weights, not of earlier ones."""
    columns = ("nme_percent", "ci95_low", "ci95_high", "failure_rate_10_percent")
    with open("results/accuracy.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] != "validation"]
    assert {row["model"] for row in rows} == set(rcn_keras.list_presets())
    for row in rows:
        error, low, high, failures = (f"{float(row[name]):.2f}" for name in columns)
        start = f"| {row['set_name']} | {row['protocol']} | "
        end = f" | {error} | {low} to {high} | {failures} |"
        lines = (presets.SHIPPED / row["model"] / "README.md").read_text().splitlines()
        assert any(s.startswith(start) and s.endswith(end) for s in lines), start


def test_the_joint_model_is_made_of_the_other_two():
    joint = rcn_keras.from_preset("joint_300w")
    for part, name in ((joint.rcn, "rcn5_300w"), (joint.denoiser, "denoiser_300w")):
        alone = rcn_keras.from_preset(name)
        for ours, its in zip(part.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, its)


def test_shipped_names_and_sizes():
    shipped = {"rcn6_mtfl", "rcn6_wide", "sumnet6_mtfl"}
    shipped |= {"denoiser_300w", "rcn5_300w", "joint_300w"}
    assert shipped == set(rcn_keras.list_presets())
    assert rcn_keras.from_preset("rcn5_300w").count_params() == 1_095_492
    assert rcn_keras.from_preset("joint_300w").count_params() == 1_095_492 + 1_257_188
    assert rcn_keras.from_preset("denoiser_300w").count_params() == 1_257_188
    assert rcn_keras.from_preset("rcn6_mtfl").count_params() == 310_229
    assert rcn_keras.from_preset("rcn6_wide").count_params() == 1_237_925
    assert rcn_keras.from_preset("sumnet6_mtfl").count_params() == 186_588


def test_saved_and_loaded_from_a_folder(tmp_path):
    model = rcn_keras.build_rcn(branches=4)
    config = {
        "model": "rcn",
        "arguments": {"branches": 4},
        "decoder": "argmax",
        "calibration": [1.0, 0.0],
    }
    presets.save_preset(tmp_path / "mine", model, config)
    loaded = presets.load_preset(tmp_path / "mine")
    assert loaded.config == config
    for a, b in zip(model.get_weights(), loaded.model.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", rcn_keras.list_presets())
def test_a_preset_without_a_layout_has_that_of_a_face(tmp_path, name):
    shutil.copytree(presets.SHIPPED / name, tmp_path, dirs_exist_ok=True)
    config = presets.read_config(tmp_path)
    layout = KeypointLayout.from_dict(config.pop("layout"))
    (tmp_path / presets.CONFIG).write_text(json.dumps(config))
    assert rcn_keras.from_preset(tmp_path).layout == layout


def test_a_preset_of_any_layout(tmp_path):
    layout = KeypointLayout("card", ("nw", "ne", "se", "sw"))
    model = rcn_keras.build_rcn(branches=4, layout=layout)
    model.set_decoder("quadratic", (0.5, 0.25))
    config = {
        "model": "rcn",
        "arguments": {"branches": 4},
        "layout": layout.to_dict(),
        "decoder": model.decoder,
        "calibration": list(model.calibration),
    }
    presets.save_preset(tmp_path, model, config)
    loaded = rcn_keras.from_preset(tmp_path)
    assert loaded.layout == layout and loaded.output_shape == (None, 80, 80, 4)
    assert (loaded.decoder, loaded.calibration) == ("quadratic", (0.5, 0.25))
    config["layout"]["outside"] = "drop"
    (tmp_path / presets.CONFIG).write_text(json.dumps(config))
    with pytest.raises(InputError, match="cannot build the network .*'drop'"):
        rcn_keras.from_preset(tmp_path)


def test_any_keypoint_model_becomes_a_preset(tmp_path):
    layout = KeypointLayout("card", ("nw", "ne", "se", "sw"))
    images = keras.Input((64, 64, 1))
    maps = keras.layers.Conv2D(4, 3, padding="same")(images)
    model = KeypointModel(images, maps, layout, "quadratic", (0.5, 0.25))
    model.compile("adam", "mse")
    model.save_to_preset(tmp_path / "mine")
    loaded = KeypointModel.from_preset(tmp_path / "mine")
    assert loaded.layout == layout and loaded.calibration == (0.5, 0.25)
    picture = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 1)).astype("float32")
    np.testing.assert_array_equal(loaded(picture), model(picture))
    blank = KeypointModel.from_preset(tmp_path / "mine", load_weights=False)
    assert (blank.get_weights()[0] != model.get_weights()[0]).any()
    with pytest.raises(InputError, match="another preset"):
        rcn_keras.from_preset("denoiser_300w").save_to_preset(
            shutil.copytree(presets.SHIPPED / "rcn6_mtfl", tmp_path / "other")
        )


def test_no_such_preset():
    with pytest.raises(InputError, match="no preset named 'rcn9'.*rcn6_mtfl"):
        rcn_keras.from_preset("rcn9")


@pytest.mark.parametrize(
    "damage", ["cut", "flipped", "garbage", "empty", "missing", "foreign"]
)
def test_damaged_weights_give_one_line(tmp_path, damage):
    folder = tmp_path / "preset"
    shutil.copytree(presets.SHIPPED / "rcn6_mtfl", folder)
    weights = folder / presets.WEIGHTS
    data = weights.read_bytes()
    if damage == "cut":
        weights.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        weights.write_bytes(data[:600] + bytes(255 - b for b in data[600:9000]))
    elif damage == "garbage":
        weights.write_bytes(b"not HDF5" * 100)
    elif damage == "empty":
        weights.write_bytes(b"")
    elif damage == "missing":
        weights.unlink()
    else:
        rcn_keras.build_rcn(branches=4).save_weights(weights)
    with pytest.raises(InputError, match="model.weights.h5") as caught:
        rcn_keras.from_preset(folder)
    assert "\n" not in str(caught.value)


def test_damaged_configuration(tmp_path):
    for text in ("{", "[]"):
        (tmp_path / presets.CONFIG).write_text(text)
        with pytest.raises(InputError, match="not a preset's configuration"):
            rcn_keras.from_preset(tmp_path)
    whole = presets.read_config(presets.SHIPPED / "rcn6_mtfl")
    for change in ({"decoder": "nope"}, {"arguments": {"branches": 9}}):
        (tmp_path / presets.CONFIG).write_text(json.dumps(whole | change))
        with pytest.raises(InputError, match="cannot build the network"):
            rcn_keras.from_preset(tmp_path)
    for line in ([1.0], "ab", 3):
        (tmp_path / presets.CONFIG).write_text(
            json.dumps(whole | {"face_calibration": line})
        )
        with pytest.raises(InputError, match="cannot build the network"):
            rcn_keras.from_preset(tmp_path)
    for missing in ("model", "decoder", "calibration"):
        less = {key: value for key, value in whole.items() if key != missing}
        (tmp_path / presets.CONFIG).write_text(json.dumps(less))
        with pytest.raises(InputError, match="cannot build the network"):
            rcn_keras.from_preset(tmp_path)


def test_confidence_falls_where_a_face_is_occluded(crops):
    preset = presets.load_preset("rcn6_mtfl")
    located = preset.model.decode(preset.model.output)
    model = keras.Model(preset.model.input, located)
    plain, occluded = (
        run(model, input_images(crops, augmentation)[0])["confidence"]
        for augmentation in (None, OCCLUSION)
    )
    assert plain.mean() > 0.8 and occluded.mean() < plain.mean() - 0.05


def test_the_shipped_denoiser_puts_lost_points_back(three_hundred_w_folder):
    """On drawn faces, which it never saw: 15 of 68 moved anywhere."""
    crops = load_test_set(three_hundred_w_folder, "300w")
    denoiser = rcn_keras.from_preset("denoiser_300w")
    errors = moved_keypoints(denoiser, crops, counts=[15])
    before, after = (np.nanmean(values) for values in errors.values())
    assert before > 1 and after < 0.15


@pytest.mark.parametrize("name", ["rcn6_mtfl", "rcn6_wide", "sumnet6_mtfl"])
def test_drawn_faces_are_like_faces_to_the_shipped_networks(name, tmp_path):
    write_mtfl(tmp_path, training=0, testing=40)
    model = rcn_keras.from_preset(name)
    errors = ground_truth_boxes(model, load_test_set(tmp_path, "aflw"))["subpixel"]
    assert errors.mean() < 0.08 and np.quantile(errors.mean(axis=1), 0.95) < 0.12
