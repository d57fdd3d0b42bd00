import errno
import json

import numpy as np
import pandas
import pytest
from pycocotools.coco import COCO

from rcn_keras.cli.formats import FORMATS, Coco, Csv, JsonLines, LineFile, Pts
from rcn_keras.data.csv_table import csv_rows, parse_table
from rcn_keras.data.points_file import read_pts
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5, FACE_68


def face(count, seed):
    rng = np.random.default_rng(seed)
    return {
        "box": rng.uniform(0, 90, 4).round(3).tolist(),
        "keypoints": rng.uniform(0, 90, (count, 2)).round(3).tolist(),
        "confidence": rng.uniform(0, 1, count).round(4).tolist(),
        "score": 0.75,
        "face_score": 0.9 if seed else None,
    }


PHOTOS = {"a/7.jpg": [face(5, 0), face(5, 1)], "b/x.jpg": [], "c/y.jpg": [face(5, 2)]}


def written(form, path, photos=PHOTOS, layout=FACE_5):
    results = form(path, layout)
    for image, faces in photos.items():
        results.add({"image": image}, (100, 90), faces)
    results.close()
    return path


def test_json_lines(tmp_path):
    path = written(JsonLines, tmp_path / "faces.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert {record["image"]: record["faces"] for record in records} == PHOTOS


@pytest.mark.parametrize("layout", [FACE_5, None])
def test_pandas_reads_the_csv_and_so_does_the_reader_of_own_keypoints(tmp_path, layout):
    path = written(Csv, tmp_path / "faces.csv", layout=layout)
    table = pandas.read_csv(path)
    assert list(table["image"]) == ["a/7.jpg", "a/7.jpg", "c/y.jpg"]
    assert list(table["face"]) == [0, 1, 0] and (table["score"] == 0.75).all()
    np.testing.assert_array_equal(table["face_score"], [np.nan, 0.9, 0.9])
    faces = [each for faces in PHOTOS.values() for each in faces]
    for row, each in zip(table.to_dict("records"), faces, strict=True):
        for name, point, sure in zip(
            FACE_5.names, each["keypoints"], each["confidence"]
        ):
            assert [row[f"{name}_x"], row[f"{name}_y"]] == point
            assert row[f"{name}_confidence"] == sure
        assert [row[side] for side in ("x0", "y0", "x1", "y1")] == each["box"]
    for image in PHOTOS:
        (tmp_path / image).parent.mkdir()
        (tmp_path / image).touch()
    read = parse_table(csv_rows(path.read_text(), path), path, images=tmp_path)
    assert read.layout.names == FACE_5.names
    np.testing.assert_allclose(
        [each.keypoints for each in read.faces],
        [each["keypoints"] for each in faces],
        atol=1e-4,
    )


def test_csv_has_its_header_where_no_face_is_found(tmp_path):
    path = written(Csv, tmp_path / "faces.csv", {"a.jpg": []})
    assert path.read_text().startswith(
        "image,face,score,face_score,x0,y0,x1,y1,left_eye_x"
    )


def test_pycocotools_loads_the_results(tmp_path, capsys):
    path = written(Coco, tmp_path / "faces.json")
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": number, "width": 100, "height": 90} for number in (7, 2, 3)],
        "categories": [{"id": 1, "name": "face", "keypoints": list(FACE_5.names)}],
        "annotations": [],
    }
    truth.createIndex()
    results = truth.loadRes(str(path))
    for number, image in ((7, "a/7.jpg"), (2, "b/x.jpg"), (3, "c/y.jpg")):
        found = results.loadAnns(results.getAnnIds(imgIds=[number]))
        assert len(found) == len(PHOTOS[image])
        for annotation, each in zip(found, PHOTOS[image]):
            points = np.reshape(annotation["keypoints"], (5, 3))
            np.testing.assert_array_equal(points[:, :2], each["keypoints"])
            assert annotation["file_name"] == image and annotation["score"] == 0.75


def test_the_reader_of_300w_reads_the_points(tmp_path):
    photos = {"a/x.jpg": [face(68, 0), face(68, 1)], "b/x.jpg": [face(68, 2)]}
    written(Pts, tmp_path / "points", photos, FACE_68)
    faces = [each for faces in photos.values() for each in faces]
    for name, each in zip(("x", "x_2", "x_3"), faces, strict=True):
        points = read_pts(tmp_path / "points" / f"{name}.pts")
        np.testing.assert_allclose(points, each["keypoints"], atol=1e-4)
    with pytest.raises(InputError, match="--to FOLDER"):
        FORMATS["pts"](None)


def test_a_full_disk_leaves_whole_lines(tmp_path):
    lines = LineFile(tmp_path / "lines")
    lines.write("first\n")
    whole = lines._file

    class Full:
        """A disk with room for two more bytes."""

        tell, truncate, close = whole.tell, whole.truncate, whole.close
        left = 2

        def write(self, data):
            if not self.left:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.left = 0
            return whole.write(data[:2])

    lines._file = Full()
    with pytest.raises(InputError, match="lines: writing failed .No space left"):
        lines.write("second\n")
    lines.close()
    assert (tmp_path / "lines").read_text() == "first\n"
