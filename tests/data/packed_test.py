import json

import numpy as np
import pytest

from rcn_keras.data.packed import INDEX, pack
from rcn_keras.data.sets import load_training
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5, FACE_68

ARRAYS = ("images", "keypoints", "squares", "outer", "picture", "border")


def test_packed_faces_come_back_to_the_byte_from_files_of_a_size(crops, tmp_path):
    training, validation = crops.take(range(20)), crops.take(range(20, 24))
    steps = []
    names = pack(training, validation, tmp_path, 0.2, lambda *step: steps.append(step))
    assert steps[-1] == (24, 24)
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert len(names) > 3
    assert all(path.stat().st_size < 0.2 * 2**20 for path in tmp_path.glob("*.npz"))
    for before, after in zip((training, validation), load_training(tmp_path)):
        for name in ARRAYS:
            wanted, found = getattr(before, name), getattr(after, name)
            assert found.dtype == wanted.dtype, name
            np.testing.assert_array_equal(found, wanted)
        assert [f.source for f in after.faces] == [f.source for f in before.faces]
        assert after.faces[0].attributes == before.faces[0].attributes
        assert after.layout == FACE_5


def test_another_number_of_keypoints_is_refused(crops, tmp_path):
    pack(crops, crops, tmp_path)
    with pytest.raises(InputError, match="of 68 keypoints .* wanted; these have 5"):
        load_training(tmp_path, layout=FACE_68)


def test_a_packed_set_is_not_written_over(crops, tmp_path):
    pack(crops, crops, tmp_path)
    with pytest.raises(InputError, match="holds packed faces already"):
        pack(crops, crops, tmp_path)


@pytest.mark.parametrize("damage", ["cut", "missing", "index", "one side"])
def test_a_damaged_part_is_named(crops, tmp_path, damage):
    names = pack(crops, crops, tmp_path)
    path = tmp_path / names[1]
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "missing":
        path.unlink()
    elif damage == "index":
        (tmp_path / INDEX).write_text("[]")
    else:
        index = json.loads((tmp_path / INDEX).read_text())
        (tmp_path / INDEX).write_text(json.dumps({"parts": index["parts"][:1]}))
    named = {"cut": names[1], "missing": names[1], "index": INDEX, "one side": "packed"}
    with pytest.raises(InputError, match=named[damage]):
        load_training(tmp_path)
