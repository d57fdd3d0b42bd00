import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.errors import InputError
from rcn_keras.layout import KeypointLayout
from rcn_keras.losses import SpatialCrossentropy
from rcn_keras.presets import CONFIG, SHIPPED, WEIGHTS, load_preset, save_preset
from rcn_keras.presets.card import write_card
from rcn_keras.training import fit, network, recipes, run_folder
from rcn_keras.training import recipe as recipe_record
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.publish import publish
from rcn_keras.training.recipe import Recipe, with_layout

TINY = Recipe(
    "rcn",
    {"branches": 4},
    Augmentation(),
    warmup_steps=2,
    batch_size=8,
    epochs=3,
    seed=3,
)
TCDCN = Recipe(
    "tcdcn",
    {"size": 40},
    Augmentation(flip=False),
    warmup_steps=2,
    batch_size=8,
    epochs=3,
)
NORMALIZED = dataclasses.replace(TINY, normalization="batch")


class Killed(Exception):
    pass


def train(recipe, crops, out, **arguments):
    lines = []

    def echo(line):
        lines.append(line)
        if arguments.get("kill_after") and line.startswith(arguments["kill_after"]):
            raise Killed

    resume = arguments.get("resume", False)
    model = fit.train(
        recipe, crops.take(range(16)), crops.take(range(16, 24)), out, resume, echo=echo
    )
    return model, lines


@pytest.mark.parametrize(
    "recipe", [TINY, NORMALIZED, TCDCN], ids=["rcn", "normalized", "tcdcn"]
)
def test_killed_and_resumed_ends_as_one_that_ran_through(recipe, crops, tmp_path):
    through, lines = train(recipe, crops, tmp_path / "through")
    with pytest.raises(Killed):
        train(recipe, crops, tmp_path / "killed", kill_after="epoch 1/3 loss")
    keras.utils.set_random_seed(99)  # a new process would know nothing of the old one
    resumed, _ = train(recipe, crops, tmp_path / "killed", resume=True)
    logs = [read_log(tmp_path / name / "log.csv") for name in ("through", "killed")]
    assert [row["epoch"] for row in logs[1]] == [1, 2, 3]
    for a, b in zip(*logs):
        for column in ("loss", "val_nme", "val_nme_clean", "learning_rate"):
            assert a[column] == pytest.approx(b[column], rel=1e-4), column
    for a, b in zip(through.get_weights(), resumed.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert any("images/s" in line for line in lines)
    left = {path.name for path in (tmp_path / "through").iterdir()}
    assert left == {
        "recipe.json",
        "run.json",
        "log.csv",
        "training.png",
        "last.keras",
        "best.weights.h5",
    }


def test_tcdcn_learns_without_attributes_in_mixed_precision(crops, tmp_path):
    recipe = dataclasses.replace(
        TCDCN,
        arguments={"size": 40, "attributes": False},
        epochs=2,
        precision="mixed_bfloat16",
    )
    model, _ = train(recipe, crops, tmp_path)
    assert list(model.output) == ["keypoints"]
    assert model.get_layer("features").compute_dtype == "bfloat16"
    first, last = read_log(tmp_path / "log.csv")
    assert last["loss"] < first["loss"]


def test_finish_changes_the_augmentation_of_the_last_epochs(crops, tmp_path):
    still = Augmentation(0.0, 0.0, 0.0, flip=False, occlusion=False)
    recipe = dataclasses.replace(TINY, epochs=2, finish=still, finish_epochs=1)
    train(recipe, crops, tmp_path / "both")
    train(dataclasses.replace(TINY, epochs=2), crops, tmp_path / "plain")
    both, plain = (read_log(tmp_path / name / "log.csv") for name in ("both", "plain"))
    assert both[0]["loss"] == pytest.approx(plain[0]["loss"], rel=1e-4)
    assert both[1]["loss"] != pytest.approx(plain[1]["loss"], rel=1e-3)


def test_a_short_training_is_not_all_finish():
    still = Augmentation(0.0, 0.0, 0.0, flip=False, occlusion=False)
    recipe = dataclasses.replace(TINY, epochs=60, finish=still, finish_epochs=15)
    assert list(fit._phases(recipe)) == [(recipe.augmentation, 45), (still, 60)]
    short = dataclasses.replace(recipe, epochs=6)
    assert [end for _, end in fit._phases(short)] == [4, 6]
    without = dataclasses.replace(recipe, finish=None)  # and not one of plain faces
    assert {augmentation for augmentation, _ in fit._phases(without) if augmentation}
    assert list(fit._phases(without))[0] == (recipe.augmentation, 60)


def test_a_preset_is_fine_tuned(crops, tmp_path):
    short = dataclasses.replace(TINY, epochs=1)
    train(short, crops, tmp_path / "first")
    first = publish(tmp_path / "first", crops.take(range(16, 24)), tmp_path / "preset")
    standing = dataclasses.replace(
        short, weights=str(tmp_path / "preset"), learning_rate=0.0
    )
    second, lines = train(standing, crops, tmp_path / "second")
    # Measured before, too; nothing has changed.
    before = lines[0].removeprefix(f"{tmp_path / 'preset'}: ")
    assert before.startswith("validation ") and any(
        before in line for line in lines[1:]
    )
    best = load_preset(tmp_path / "preset").model.get_weights()
    for a, b in zip(best, second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

    inherited = json.loads((tmp_path / "second" / "run.json").read_text())["before"]
    assert inherited["trained_epochs"] == 1
    second = publish(tmp_path / "second", crops.take(range(16, 24)), tmp_path / "more")
    assert second["trained_epochs"] == 2
    assert second["training_minutes"] >= first["training_minutes"]
    write_card(tmp_path / "more")
    assert "| of these before | 1 epochs, " in (tmp_path / "more/README.md").read_text()
    log = read_log(tmp_path / "more" / "training_log.csv")
    assert [row["epoch"] for row in log] == [1, 2]
    assert log[0] == read_log(tmp_path / "first" / "log.csv")[0]


def test_a_preset_is_fine_tuned_for_other_keypoints_with_a_new_last_layer():
    own = KeypointLayout("beak", ("left", "tip", "right"))
    recipe = with_layout(recipes.get_recipe("own", weights="rcn6_mtfl"), own)
    assert not network.same_keypoints(recipe)
    model = network.build_model(recipe)
    assert model.layout == own
    network.take_weights(model, "rcn6_mtfl")
    shipped = load_preset("rcn6_mtfl").model
    for layer, other in zip(model.layers, shipped.layers, strict=True):
        for a, b in zip(layer.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, 0 if layer.name == "maps" else b)
    assert model.get_layer("maps").get_weights()[0].shape[-1] == 3
    assert network.same_keypoints(recipes.get_recipe("rcn6_mtfl", weights="rcn6_mtfl"))


def save_untold(folder):
    """A preset of TINY's network that does not say how it was trained."""
    config = json.loads((SHIPPED / "rcn6_mtfl" / CONFIG).read_text())
    del config["trained_on"]
    config["arguments"] = TINY.arguments
    save_preset(folder, network.build_model(TINY), config)
    return folder


def test_weights_of_another_network_are_refused(crops, tmp_path):
    recipe = dataclasses.replace(TINY, weights="rcn6_mtfl")  # of 6 branches
    with pytest.raises(InputError, match="rcn6_mtfl: not the weights of this recipe"):
        train(recipe, crops, tmp_path / "run")
    with pytest.raises(InputError, match="no preset named 'rcn9'"):
        train(dataclasses.replace(TINY, weights="rcn9"), crops, tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())
    shutil.copytree(SHIPPED / "rcn6_mtfl", tmp_path / "cut")
    (tmp_path / "cut" / WEIGHTS).write_bytes(b"cut")
    with pytest.raises(InputError, match="^.*model.weights.h5: damaged"):
        train(dataclasses.replace(TINY, weights=str(tmp_path / "cut")), crops, tmp_path)
    untold = save_untold(tmp_path / "untold")
    with pytest.raises(InputError, match="config.json: lacks trained_on"):
        train(dataclasses.replace(TINY, weights=str(untold)), crops, tmp_path / "run")


def test_faces_are_shown_as_often_as_their_pose_says(crops, tmp_path):
    recipe = dataclasses.replace(TINY, epochs=1, pose_repeats=(2, 2, 2, 2, 2))
    train(recipe, crops, tmp_path)
    last = keras.saving.load_model(tmp_path / "last.keras")
    assert int(last.optimizer.iterations) == 2 * 16 // TINY.batch_size


def test_best_weights_are_those_of_the_lowest_validation_error(crops, tmp_path):
    before = random.getstate(), np.random.get_state()[1].tolist()
    recipe = dataclasses.replace(TINY, learning_rate=1.0, clipnorm=None)  # diverges
    model, _ = train(recipe, crops, tmp_path)
    after = random.getstate(), np.random.get_state()[1].tolist()
    assert before == after, "the seed of a training is its own"
    rows = read_log(tmp_path / "log.csv")
    errors = [row["val_nme_clean"] for row in rows]
    last = keras.saving.load_model(tmp_path / "last.keras")
    same = all(
        np.array_equal(a, b) for a, b in zip(model.get_weights(), last.get_weights())
    )
    assert same == (int(np.argmin(errors)) == len(errors) - 1)


def test_a_network_that_gives_no_numbers_ends_the_training(crops, tmp_path):
    recipe = dataclasses.replace(TINY, learning_rate=1e30, clipnorm=None)
    with pytest.raises(
        InputError, match="epoch 1: .*produces NaN.*--precision float32"
    ):
        train(recipe, crops, tmp_path)
    assert not (tmp_path / "last.keras").exists()  # nothing to resume


def test_a_training_from_a_gpu_is_resumed_without_xla_on_a_cpu(tmp_path):
    begun = network.build_model(TINY)
    begun.compile(fit.make_optimizer(TINY, 2), SpatialCrossentropy(), jit_compile=True)
    begun.optimizer.build(begun.trainable_variables)
    begun.save(tmp_path / run_folder.LAST)
    resumed = fit._compiled_model(begun, TINY, None, 2, tmp_path)
    assert resumed.jit_compile is (keras.backend.backend() == "jax")


def test_damaged_files_of_a_training_are_named(crops, tmp_path):
    short = dataclasses.replace(TINY, epochs=1)
    train(short, crops, tmp_path)
    for name, content, reason in (
        (run_folder.BEST, "no weights", "damaged, or not"),
        ("log.csv", "", "has 0 epochs, last.keras 1"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=f"{tmp_path / name}: {reason}"):
            train(short, crops, tmp_path, resume=True)


def test_early_stopping(crops, tmp_path):
    recipe = dataclasses.replace(TINY, epochs=8, patience=1, learning_rate=0.0)
    _, lines = train(recipe, crops, tmp_path)
    rows = read_log(tmp_path / "log.csv")
    assert len(rows) < 8 and any("stopping" in line for line in lines)
    _, lines = train(recipe, crops, tmp_path, resume=True)
    assert len(read_log(tmp_path / "log.csv")) == len(rows)


def test_folder_of_another_training_is_refused(crops, tmp_path):
    recipe = dataclasses.replace(TINY, epochs=1)
    train(recipe, crops, tmp_path)
    with pytest.raises(InputError, match="pass --resume"):
        train(recipe, crops, tmp_path)
    other = dataclasses.replace(recipe, seed=4)
    with pytest.raises(
        InputError, match=r"another recipe \(seed: 3 there, 4 asked for"
    ):
        train(other, crops, tmp_path, resume=True)
    (tmp_path / "last.keras").write_bytes(b"cut")
    with pytest.raises(InputError, match="last.keras: damaged"):
        train(recipe, crops, tmp_path, resume=True)
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(InputError, match="recipe.json: damaged"):
        train(recipe, crops, tmp_path, resume=True)


def test_a_training_is_resumed_with_the_faces_it_began_with(crops, tmp_path):
    with pytest.raises(Killed):
        train(TINY, crops, tmp_path, kill_after="epoch 1/3 loss")
    message = "was trained with 16 faces and validated with 8; here are 8 and 8"
    with pytest.raises(InputError, match=message):
        fit.train(TINY, crops.take(range(8)), crops.take(range(16, 24)), tmp_path, True)
    assert len(read_log(tmp_path / "log.csv")) == 1


def test_folder_without_a_finished_epoch_is_taken_over(crops, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({"model": "sumnet"}))
    # Of a preset that went on here and did not come far.
    (tmp_path / "before.csv").write_text("epoch,loss\n1,2\n")
    train(dataclasses.replace(TINY, epochs=1), crops, tmp_path)
    assert json.loads((tmp_path / "recipe.json").read_text())["model"] == "rcn"
    assert not (tmp_path / "before.csv").exists()


def test_too_few_faces(crops, tmp_path):
    recipe = dataclasses.replace(TINY, batch_size=17)
    with pytest.raises(InputError, match="fewer than one batch"):
        train(recipe, crops, tmp_path)


def test_schedule_and_optimizers():
    optimizer = fit.make_optimizer(TINY, steps=10)
    schedule = optimizer._learning_rate
    assert float(schedule(0)) == 0.0
    assert float(schedule(2)) == pytest.approx(2e-3)
    assert float(schedule(30)) == pytest.approx(2e-3 * 0.005)
    original = fit.make_optimizer(dataclasses.replace(TINY, optimizer="adadelta"), 10)
    assert float(original.learning_rate) == 1.0
    assert (original.rho, original.epsilon) == (0.95, 1e-8)


def test_mixed_precision_keeps_maps_in_float32(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "emulates_bfloat16", lambda: True)
    recipe = dataclasses.replace(TINY, epochs=1, precision="mixed_bfloat16")
    model, lines = train(recipe, crops, tmp_path)
    assert "no bfloat16 instructions" in lines[0]
    assert "--precision float32" in lines[0]
    assert model.get_layer("branch_80_1").compute_dtype == "bfloat16"
    assert model.get_layer("maps").compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"  # restored


MIRRORED = """
import sys, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from rcn_keras.data import crops, mtfl
from rcn_keras.layout import FACE_5
from rcn_keras.training import fit
from rcn_keras.training.recipe import Recipe
faces = crops.load_crops(mtfl.read_mtfl(sys.argv[1], "training"), FACE_5)
recipe = Recipe("rcn", {"branches": 4}, batch_size=8, epochs=1, warmup_steps=1)
fit.train(recipe, faces.take(range(16)), faces.take(range(16, 24)), sys.argv[2],
          strategy=strategy)
print("replicas", strategy.num_replicas_in_sync)
"""


def test_a_backend_that_only_predicts_is_named(tmp_path, crops, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(ImportError, match="training needs Keras on TensorFlow or JAX"):
        train(TINY, crops, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a strategy of TensorFlow"
)
def test_two_replicas(mtfl_folder, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED, mtfl_folder, tmp_path / "run"],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert "replicas 2" in done.stdout, done.stderr[-2000:]
    assert len(read_log(tmp_path / "run" / "log.csv")) == 1


def test_auto_precision_is_the_machines_and_the_runs_when_it_is_resumed(
    crops, tmp_path, monkeypatch
):
    recipe = dataclasses.replace(TINY, epochs=2, precision="auto")
    monkeypatch.setattr(recipe_record, "fast_precision", lambda: "float32")
    with pytest.raises(Killed):
        train(recipe, crops, tmp_path, kill_after="epoch 1/2 loss")
    assert json.loads((tmp_path / "recipe.json").read_text())["precision"] == "float32"
    monkeypatch.setattr(recipe_record, "fast_precision", lambda: "mixed_bfloat16")
    model, _ = train(recipe, crops, tmp_path, resume=True)
    assert model.get_layer("branch_80_1").compute_dtype == "float32"
    assert len(read_log(tmp_path / "log.csv")) == 2
