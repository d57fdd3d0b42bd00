import json
import re

import pytest

from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_68, KeypointLayout
from rcn_keras.models import BUILDERS
from rcn_keras.training.recipe import (
    Recipe,
    as_dict,
    input_size,
    layout,
    read_recipe,
    with_layout,
)
from rcn_keras.training.recipes import RECIPES, get_recipe

DEMO_68 = ("demo_68", "demo_denoiser")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds(name):
    recipe = RECIPES[name]
    model = BUILDERS[recipe.model](**recipe.arguments)
    count = layout(recipe).count
    assert count == (68 if "300w" in name or name in DEMO_68 else 5)
    channels = count if recipe.model == "denoiser" else 1
    side = input_size(recipe)
    assert side == (160 if name == "own_fine" else 80)
    assert model.input_shape == (None, side, side, channels)
    if recipe.model == "tcdcn":
        assert model.output["keypoints"].shape == (None, count, 2)
    else:
        assert model.output_shape == (None, side, side, count)
    assert recipe.epochs > 0 and recipe.batch_size > 0


def test_a_recipe_is_of_a_model_that_can_be_built_but_joined():
    models = [name for name in BUILDERS if name != "joint"]
    for model in models:
        assert Recipe(model, {}).model == model
    known = re.escape(", ".join(map(repr, models)))
    with pytest.raises(InputError, match=f"one of {known}. Received: model='joint'"):
        Recipe("joint", {})


def test_ours_occlude_and_learn_from_the_wide_one():
    for model in ("rcn", "sumnet"):
        recipe = RECIPES[f"{model}6_mtfl"]
        assert recipe.augmentation.occlusion and recipe.finish.occlusion
        assert recipe.arguments["branches"] == 6 and recipe.model == model
        assert recipe.teacher == "rcn6_wide" and recipe.normalization == "batch"
    teacher = RECIPES["rcn6_wide"]
    assert teacher.teacher is None and not teacher.paper


def test_get_recipe():
    assert get_recipe("demo") is not None and get_recipe("demo") == RECIPES["demo"]
    changed = get_recipe("demo", epochs=3, seed=8)
    assert (changed.epochs, changed.seed) == (3, 8)
    assert changed.arguments == RECIPES["demo"].arguments
    assert RECIPES["demo"].epochs != 3
    with pytest.raises(ValueError, match="no recipe named 'rcn9'.*rcn6_mtfl"):
        get_recipe("rcn9")


@pytest.mark.parametrize("name", RECIPES)
def test_as_dict_is_json(name):
    fields = as_dict(RECIPES[name])
    rotation = RECIPES[name].augmentation.rotation
    assert fields["augmentation"]["rotation"] == rotation
    restored = json.loads(json.dumps(fields))
    assert restored.keys() == fields.keys() and restored["model"] == RECIPES[name].model


def test_a_recipe_read_back_is_the_same_and_an_older_one_has_the_defaults(tmp_path):
    fields = as_dict(RECIPES["rcn5_300w"])
    (tmp_path / "recipe.json").write_text(json.dumps(fields))
    assert json.loads(json.dumps(as_dict(read_recipe(tmp_path)))) == json.loads(
        json.dumps(fields)
    )
    del fields["corrupted"]
    (tmp_path / "recipe.json").write_text(json.dumps(fields))
    assert read_recipe(tmp_path).corrupted == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"depth": 3}'])
def test_what_is_no_recipe_is_refused(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(InputError, match="recipe.json: damaged"):
        read_recipe(tmp_path)


def test_a_recipe_with_a_layout_of_ones_own(tmp_path):
    own = KeypointLayout("beak", ("left", "tip", "right"), ((0, 2),))
    recipe = with_layout(RECIPES["own"], own)
    assert layout(recipe) == own
    assert recipe.augmentation.flip and recipe.finish.flip
    (tmp_path / "recipe.json").write_text(json.dumps(as_dict(recipe)))
    assert layout(read_recipe(tmp_path)) == own
    # As an older file has it: a face of so many points.
    fields = as_dict(RECIPES["rcn5_300w"])
    del fields["layout"]
    (tmp_path / "recipe.json").write_text(json.dumps(fields))
    assert layout(read_recipe(tmp_path)) == FACE_68


def test_without_mirror_pairs_nothing_is_flipped():
    own = KeypointLayout("card", ("nw", "ne", "se", "sw"))
    recipe = with_layout(RECIPES["own"], own)
    assert not recipe.augmentation.flip and not recipe.finish.flip
    recipe = with_layout(RECIPES["demo"], own)
    assert not recipe.augmentation.flip and recipe.finish is None
    with pytest.raises(ValueError, match="Received: a recipe of a denoiser"):
        with_layout(RECIPES["denoiser_300w"], own)
