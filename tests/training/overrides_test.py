import pytest

from rcn_keras.cli import main
from rcn_keras.data.augmentation import Augmentation
from rcn_keras.training.recipes import get_recipe


def test_settings_reach_every_part_of_a_recipe():
    settings = [
        "arguments.width=2",
        "augmentation.rotation=20",
        "augmentation.occlusion=false",
        "finish.flip=false",
        "finish_epochs=3",
        "pose_repeats=[2, 1, 1, 1, 2]",
        "normalization=null",
        "optimizer=adam",
    ]
    recipe = get_recipe("rcn6_quick", settings, epochs=9)
    assert recipe.arguments == {"branches": 6, "width": 2}
    assert recipe.augmentation == Augmentation(rotation=20, occlusion=False, flip=False)
    assert recipe.finish == Augmentation(flip=False)
    assert (recipe.finish_epochs, recipe.epochs) == (3, 9)
    assert recipe.pose_repeats == (2, 1, 1, 1, 2)
    assert (recipe.normalization, recipe.optimizer) == (None, "adam")
    assert get_recipe("rcn6_quick").arguments == {"branches": 6}


@pytest.mark.parametrize(
    "setting, reason",
    [
        ("epochs", "expected FIELD=VALUE"),
        ("epoch=3", "no field 'epoch'"),
        ("epochs=many", "expected a value of that type"),
        ("epochs=true", "expected a value of that type"),
        ("arguments=[1]", "expected a value of that type"),
        ("augmentation.flip=1", "expected a value of that type"),
        ("augmentation.angle=3", "no field 'augmentation.angle'"),
        ("epochs.x=3", "no field 'epochs.x'"),
        ("optimizer=sgd", "must be one of 'muon', 'adam', 'adadelta'"),
        ("model=resnet", "must be one of 'rcn', 'sumnet'"),
        ("precision=bf16", "must be one of 'auto', 'float32'"),
        ("normalization=layer", "must be one of None, 'batch'"),
    ],
)
def test_what_is_no_field_or_value_is_refused(tmp_path, capsys, setting, reason):
    command = ["train", "rcn6_quick", "--data", str(tmp_path), "--set", setting]
    assert main([*command, "--out", str(tmp_path / "run")]) == 2
    assert reason in capsys.readouterr().err
