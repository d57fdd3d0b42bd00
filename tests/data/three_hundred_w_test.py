import shutil

import numpy as np
import pytest

from rcn_keras.data import synthetic, three_hundred_w
from rcn_keras.data.three_hundred_w import CHALLENGING, COMMON, TRAINING, read_300w
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_68

TEST = COMMON + CHALLENGING


@pytest.fixture
def folder(three_hundred_w_folder, tmp_path):
    """A copy to break."""
    return shutil.copytree(three_hundred_w_folder, tmp_path / "300w")


def subsets_of(faces):
    return [face.attributes["subset"] for face in faces]


def test_order_and_points(three_hundred_w_folder):
    failures = []
    faces = read_300w(str(three_hundred_w_folder), TRAINING, failures=failures)
    assert subsets_of(faces) == np.repeat(TRAINING, 4).tolist() and not failures
    for n, face in enumerate(faces):
        place = three_hundred_w_folder / TRAINING[n // 4]
        assert face.image == place / f"image_{n % 4:04d}.jpg"
        assert face.source == str(face.image.with_suffix(".pts"))
        assert face.keypoints.shape == (68, 2) and face.keypoints.dtype == np.float32
    # The drawn face, drawn again: what comes back is in continuous pixels.
    rng = np.random.default_rng([0, 2, 1])
    _, points = synthetic.draw_face(rng, FACE_68, int(rng.integers(160, 281)))
    np.testing.assert_allclose(faces[1].keypoints, points, atol=1e-4)
    assert subsets_of(read_300w(three_hundred_w_folder, ["ibug", "afw"])) == (
        ["ibug"] * 4 + ["afw"] * 4
    )


def test_official_counts():
    official = three_hundred_w.OFFICIAL_FACES
    assert sum(official[subset] for subset in TRAINING) == 3148
    assert sum(official[subset] for subset in COMMON) == 554
    assert sum(official[subset] for subset in TEST) == 689


def test_bad_files_are_reported_and_the_others_kept(folder):
    place = folder / "helen/testset"
    lines = (place / "image_0000.pts").read_text().splitlines()
    (place / "image_0000.pts").write_text("\n".join(lines[:10] + lines[11:]))
    (place / "image_0001.pts").write_text("\n".join([*lines[:5], "a b", *lines[6:]]))
    (place / "image_0002.jpg").unlink()
    (place / "image_0003.pts").unlink()
    (folder / "lfpw/testset/._image_0000.pts").write_text("a Mac's own")
    failures = ["from before"]
    faces = read_300w(folder, COMMON, failures=failures)
    assert subsets_of(faces) == ["lfpw/testset"] * 4
    before, *failures = failures
    assert before == "from before" and len(failures) == 4
    assert "image_0003.jpg: no .pts file beside this photograph" in failures[0]
    assert "image_0000.pts: expected 68 points; found 67" in failures[1]
    assert "image_0001.pts:6: expected two numbers; found `a b`" in failures[2]
    assert "image_0002.pts: no photograph beside it" in failures[3]
    assert len(read_300w(folder, COMMON)) == 4
    with pytest.raises(InputError, match="no face could be read; the first: "):
        read_300w(folder, ["helen/testset"])


def test_a_missing_and_an_empty_subset(folder):
    shutil.rmtree(folder / "ibug")
    for path in (folder / "lfpw/testset").glob("*.pts"):
        path.unlink()
    with pytest.raises(InputError) as caught:
        read_300w(folder, ["afw", "ibug"])
    assert str(caught.value) == (
        f"{folder / 'ibug'}: no such folder (expected 300-W's ibug); "
        "`--allow-missing` does without"
    )
    with pytest.raises(InputError, match="ibug: no such .*no .pts file.* does without"):
        read_300w(folder, ["ibug", *COMMON])
    failures = []
    faces = read_300w(folder, TEST, allow_missing=True, failures=failures)
    assert subsets_of(faces) == ["helen/testset"] * 4
    assert failures == [
        f"{folder / 'lfpw/testset'}: no .pts file in this folder "
        "(expected 300-W's lfpw/testset)",
        f"{folder / 'ibug'}: no such folder (expected 300-W's ibug)",
    ]


def test_nothing_is_left(folder):
    shutil.rmtree(folder / "ibug")
    with pytest.raises(InputError, match="no .pts file in any of ibug") as caught:
        read_300w(folder, CHALLENGING, allow_missing=True)
    assert "--allow-missing" not in str(caught.value)
    with pytest.raises(InputError, match="no such folder .expected the folder of 300"):
        read_300w(folder / "none", TEST, allow_missing=True)


def test_no_such_subset(three_hundred_w_folder):
    with pytest.raises(ValueError, match="must be of .* Received: 'helen'"):
        read_300w(three_hundred_w_folder, ["helen"])


def test_counts(folder):
    shutil.rmtree(folder / "ibug")
    faces = read_300w(folder, TEST, allow_missing=True)[1:]
    assert three_hundred_w.counts(faces, TEST) == (
        "helen/testset 3 of 330, lfpw/testset 4 of 224, ibug 0 of 135 (missing)"
    )


def test_subset_masks(three_hundred_w_folder):
    faces = read_300w(three_hundred_w_folder, ["ibug", *COMMON])
    masks = three_hundred_w.subset_masks(faces)
    assert set(masks) == {"common", "challenging", "full"}
    assert masks["common"].tolist() == [False] * 4 + [True] * 8
    assert masks["challenging"].tolist() == [True] * 4 + [False] * 8
    assert masks["full"].all()
    assert set(three_hundred_w.subset_masks(faces[4:])) == {"common"}
    assert set(three_hundred_w.subset_masks(faces[:4])) == {"challenging"}
