"""The same keypoints as a table and as COCO are the same arrays."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from rcn_keras.data.keypoint_files import read_annotations

NAMES = ("left_eye", "right_eye", "nose")


@pytest.fixture
def files(tmp_path):
    """A table and a COCO file of 12 pictures; some keypoints are unknown."""
    rng = np.random.default_rng(0)
    points = rng.uniform(1, 60, (12, 3, 2)).round(3)
    known = rng.random((12, 3)) > 0.3
    known[:, 0] = True
    images, annotations = [], []
    with (tmp_path / "points.csv").open("w", newline="") as file:
        table = csv.writer(file)
        columns = [f"{name}_{axis}" for name in NAMES for axis in "xy"]
        table.writerow(["image", "x0", "y0", "x1", "y1", *columns])
        for number, (face, seen) in enumerate(zip(points, known)):
            name, box = f"{number}.png", [0.5, 1.25, 61.0, 62.75]
            Image.new("L", (64, 64)).save(tmp_path / name)
            cells = [v if ok else "" for p, ok in zip(face, seen) for v in p]
            table.writerow([name, *box, *cells])
            triples = [
                v
                for (x, y), ok in zip(face, seen)
                for v in ((x, y, 2) if ok else [0] * 3)
            ]
            x0, y0, x1, y1 = box
            images.append({"id": number, "file_name": name})
            annotations.append(
                {
                    "id": number,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "keypoints": triples,
                }
            )
    category = {"id": 1, "name": "points", "keypoints": NAMES}
    contents = {"images": images, "annotations": annotations, "categories": [category]}
    (tmp_path / "points.json").write_text(json.dumps(contents))
    return tmp_path / "points.csv", tmp_path / "points.json"


def test_a_table_and_coco_give_the_same_arrays(files):
    table, coco = map(read_annotations, files)
    assert not table.failures and not coco.failures
    assert table.layout == coco.layout and table.layout.names == NAMES
    assert np.isnan([face.keypoints for face in table.faces]).any()
    for one, other in zip(table.faces, coco.faces, strict=True):
        assert one.image == other.image
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        assert one.attributes == other.attributes
