import subprocess
import sys

import pytest

import rcn_keras

IMPORTED = """
import sys
import rcn_keras
print(sum(name.split(".")[0] == "rcn_keras" for name in sys.modules))
print("keras" in sys.modules, rcn_keras.build_rcn.__module__, "keras" in sys.modules)
"""
LOADED = """
import keras
import rcn_keras
for name in ("rcn", "joint"):
    print(type(keras.saving.load_model(f"tests/golden/before_layouts/{name}.keras")))
"""


def run(program):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_package_alone_imports_next_to_nothing():
    modules, names = run(IMPORTED)
    assert int(modules) <= 5
    assert names == "False rcn_keras.models.rcn True"


def test_files_load_where_keras_was_imported_first():
    rcn, joint = run(LOADED)
    assert "Functional" in rcn and "JointModel" in joint


def test_every_public_name_is_there_and_so_are_the_modules():
    for name in rcn_keras.__all__:
        assert getattr(rcn_keras, name) is not None
        assert name in dir(rcn_keras)
    for name in rcn_keras.plotting.__all__:
        assert getattr(rcn_keras.plotting, name) is not None
        assert name in dir(rcn_keras.plotting)
    assert {"build_rcn", "Predictor"} <= set(rcn_keras.__all__)
    assert {"draw", "plot_ced", "CYCLE"} <= set(rcn_keras.plotting.__all__)
    assert rcn_keras.training.recipes
    assert rcn_keras.data.crops.load_crops and rcn_keras.export.formats.FORMATS
    with pytest.raises(AttributeError, match="'rcn_keras' has no attribute 'other'"):
        rcn_keras.other  # noqa: B018
