import re

import numpy as np
import pytest
from PIL import Image

from rcn_keras.data.mtfl import AFLW_LABEL_SHIFT, read_mtfl
from rcn_keras.errors import InputError

NUMBERS = "10.5 20 15 11 19.25 30 31 40 50.5 51 1 2 2 3"
POINTS = np.array([[10.5, 30], [20, 31], [15, 40], [11, 50.5], [19.25, 51]]) - 0.5


def listed(folder, text, part="training"):
    (folder / f"{part}.txt").write_bytes(text.encode())
    return read_mtfl(folder, part)


def test_a_line(tmp_path):
    (face,) = listed(tmp_path, f"lfw_5590/a.jpg {NUMBERS}\n")
    assert face.image == tmp_path / "lfw_5590" / "a.jpg"
    assert face.source == f"{tmp_path / 'training.txt'}:1"
    assert face.attributes == {"gender": 1, "smile": 2, "glasses": 2, "pose": 3}
    assert face.keypoints.dtype == "float32"
    # Labels are 1-based pixel centres; ours start at the corner of the first pixel.
    np.testing.assert_array_equal(face.keypoints, POINTS.astype("float32"))


@pytest.mark.parametrize(
    "text",
    [
        "a/b.jpg {0}\r\n a\\c.jpg {0}\r\n ",  # As released: the odd last line.
        "a\\b.jpg {0}\n a/c.jpg {0}",
        " a/b.jpg  {0} \n\ta\\c.jpg {0}\n\n",
        "a/b.jpg {0}\na/c.jpg {0}\n \n",
    ],
)
def test_both_separators_blanks_and_line_ends(tmp_path, text):
    faces = listed(tmp_path, text.format(NUMBERS))
    assert [face.image for face in faces] == [
        tmp_path / "a" / "b.jpg",
        tmp_path / "a" / "c.jpg",
    ]
    assert [face.source[-2:] for face in faces] == [":1", ":2"]
    assert all((face.keypoints == POINTS).all() for face in faces)


def test_a_path_with_blanks(tmp_path):
    (face,) = listed(tmp_path, f"a b/c d.jpg {NUMBERS}", "testing")
    assert face.image == tmp_path / "a b" / "c d.jpg"


@pytest.mark.parametrize(
    "line, message",
    [
        ("a/b.jpg 1 2 3", "15 fields\\); found 4"),
        (NUMBERS, "15 fields\\); found 14"),
        (f"a/b.jpg {NUMBERS}".replace("40", "x"), "14 numbers behind the path; found"),
        (
            f"a/b.jpg {NUMBERS}".replace("40", "nan"),
            "expected numbers between -1e9 and 1e9; found",
        ),
        (
            f"a/b.jpg {NUMBERS}".replace("40", "1e300"),
            "expected numbers between -1e9 and 1e9; found",
        ),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, message):
    place = re.escape(f"{tmp_path / 'training.txt'}:2: ")
    with pytest.raises(InputError, match=f"^{place}.*{message}"):
        listed(tmp_path, f"a/b.jpg {NUMBERS}\n{line}\na/c.jpg {NUMBERS}\n")


def test_missing_and_empty(tmp_path):
    with pytest.raises(InputError, match="none: no such folder .*folder of MTFL"):
        read_mtfl(tmp_path / "none", "training")
    with pytest.raises(InputError, match="testing.txt: no such file"):
        read_mtfl(str(tmp_path), "testing")
    with pytest.raises(InputError, match="training.txt: no faces listed"):
        listed(tmp_path, " \n")
    with pytest.raises(ValueError, match="Received: 'validation'"):
        read_mtfl(tmp_path, "validation")


def test_a_folder_as_released(mtfl_folder):
    for part, count in (("training", 24), ("testing", 6)):
        faces = read_mtfl(mtfl_folder, part)
        assert len(faces) == count
        for face in faces:
            with Image.open(face.image) as image:
                width, height = image.size
            assert face.keypoints.min() > 0
            assert (face.keypoints < [width, height]).all()
            assert face.keypoints[0, 0] < face.keypoints[1, 0]


def test_shift_of_the_test_labels():
    assert AFLW_LABEL_SHIFT == 1.0
