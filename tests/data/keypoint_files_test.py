import csv
import json
import os
import pathlib

import numpy as np
import pytest

from rcn_keras.data.keypoint_files import read_annotations
from rcn_keras.errors import InputError

DATA = os.environ.get("RCN_KERAS_DATA", "")
WEBMORPH = pathlib.Path(DATA, "webmorph")


def assert_equal(first, second):
    """That two `Annotations` hold the same arrays."""
    assert first.layout.names == second.layout.names
    assert first.layout.mirror_pairs == second.layout.mirror_pairs
    assert len(first.faces) == len(second.faces) > 0
    for a, b in zip(first.faces, second.faces):
        assert a.image == b.image and a.attributes == b.attributes
        np.testing.assert_array_equal(a.keypoints, b.keypoints)


def test_the_same_keypoints_as_csv_and_as_coco_give_the_same_arrays(tmp_path):
    rng = np.random.default_rng(0)
    names = ["left_eye", "right_eye", "nose"]
    points = rng.uniform(-5, 200, (12, 3, 2)).round(3)
    points[rng.random((12, 3)) < 0.2] = np.nan
    points[:, 2] = 50.5  # One is known.
    corner, size = rng.integers(0, 50, (12, 2)), rng.integers(1, 99, (12, 2))
    columns = ["image", "x0", "y0", "x1", "y1"]
    columns += [f"{name}_{axis}" for name in names for axis in "xy"]
    images, annotations, rows = [], [], [columns]
    for i in range(12):
        name = f"image_{i // 2}.png"
        (tmp_path / name).touch()
        images.append({"id": i // 2, "file_name": name})
        flat = ["" if np.isnan(value) else value for value in points[i].flat]
        rows.append([name, *corner[i], *(corner[i] + size[i]), *flat])
        known = ~np.isnan(points[i, :, :1])
        triples = np.concatenate([np.nan_to_num(points[i]), 2 * known], axis=1)
        annotation = {"id": i, "image_id": i // 2, "category_id": 1}
        annotation["bbox"] = [*corner[i].tolist(), *size[i].tolist()]
        annotations.append(annotation | {"keypoints": triples.ravel().tolist()})
    with open(tmp_path / "points.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    categories = [{"id": 1, "name": "face", "keypoints": names}]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    table = read_annotations(tmp_path / "points.csv")
    assert_equal(table, read_annotations(tmp_path / "coco.json"))
    read = np.stack([face.keypoints for face in table.faces])
    np.testing.assert_array_equal(read, points.astype("float32"))
    assert table.failures == []


@pytest.mark.skipif(not DATA or not WEBMORPH.is_dir(), reason="the data is not here")
def test_webmorph_as_csv_and_as_coco_gives_the_same_arrays():
    table = read_annotations(WEBMORPH / "keypoints.csv", WEBMORPH / "images")
    coco = read_annotations(WEBMORPH / "annotations.coco.json", WEBMORPH / "images")
    assert len(table.faces) == 142 and table.layout.count == 189
    assert table.failures == coco.failures == []
    for face in coco.faces:
        face.attributes.clear()  # The table has no boxes.
    assert_equal(table, coco)


def test_the_format_is_recognised_by_the_content_and_not_by_the_suffix(tmp_path):
    (tmp_path / "a.jpg").touch()
    table = "image,a_x,a_y\na.jpg,1,2\n"
    deeplabcut = "scorer,me,me\nbodyparts,a,a\ncoords,x,y\na.jpg,1,2\n"
    for text, expected in ((table, [1, 2]), (deeplabcut, [1.5, 2.5])):
        path = tmp_path / "points.json"
        path.write_text(text)
        face = read_annotations(str(path), str(tmp_path)).faces[0]
        np.testing.assert_array_equal(face.keypoints, [expected])
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1, "keypoints": [1, 2, 2]}],
        "categories": [{"id": 1, "name": "dot", "keypoints": ["a"]}],
    }
    path.write_text(" \n" + json.dumps(coco))
    assert read_annotations(path).faces[0].source == f"{path}: annotation number 1"


def test_a_category_is_of_coco_files_alone(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("image,a_x,a_y\na.jpg,1,2\n")
    with pytest.raises(InputError) as caught:
        read_annotations(path, category="cat")
    assert str(caught.value) == (
        f"{path}: expected a COCO file, as a category is chosen ('cat'); found another "
        "format"
    )


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "no such file"),
        (
            "image,größe_x,größe_y".encode("latin-1"),
            "expected text in UTF-8, or in UTF-16 with its mark; found byte 0xf6 at "
            "position 8",
        ),
        (
            b"\x89HDF\r\n\x1a\n" + bytes(range(256)),
            "expected text in UTF-8, or in UTF-16 with its mark; found byte 0x89 at "
            "position 0",
        ),
        (
            "image,a_x".encode("utf-16")[:-1],
            "expected text in UTF-8, or in UTF-16 with its mark; found byte",
        ),
    ],
)
def test_a_file_that_is_no_text_is_one_error(tmp_path, content, message):
    path = tmp_path / "CollectedData_jane.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="a folder, not a file"):
        read_annotations(tmp_path)
