import copy
import json

import numpy as np
import pytest

from rcn_keras.data.keypoint_files import read_annotations
from rcn_keras.data.points_file import RANGE
from rcn_keras.errors import InputError

# As CVAT writes it: fields of Datumaro, labels of points as categories without any.
CVAT = {
    "licenses": [{"name": "", "id": 0, "url": ""}],
    "info": {"contributor": "", "date_created": "", "description": ""},
    "categories": [
        {
            "id": 1,
            "name": "card",
            "supercategory": "",
            "keypoints": ["left_top", "right_top", "bottom"],
            "skeleton": [[1, 2], [2, 3]],
        },
        {"id": 2, "name": "hole", "supercategory": "", "keypoints": [], "skeleton": []},
    ],
    "images": [
        {"id": 1, "width": 200, "height": 100, "file_name": "a.jpg", "license": 0},
        {"id": 2, "width": 200, "height": 100, "file_name": "sub/b.jpg", "license": 0},
    ],
    "annotations": [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "segmentation": [],
            "area": 1200.0,
            "bbox": [10.5, 20.0, 30.0, 40.0],
            "iscrowd": 0,
            "attributes": {"occluded": False, "keyframe": False},
            "keypoints": [10.5, 20.0, 2, 40.5, 60.0, 1, 0.0, 0.0, 0],
            "num_keypoints": 2,
        },
        {
            "id": 2,
            "image_id": 2,
            "category_id": 1,
            "segmentation": {"counts": [0, 9], "size": [3, 3]},
            "area": 9.0,
            "bbox": [1.0, 2.0, 3.0, 3.0],
            "iscrowd": 1,
            "keypoints": [1.0, 2.0, 2, 4.0, 5.0, 2, 2.5, 4.5, 2],
            "num_keypoints": 3,
        },
    ],
}
# As COCO Annotator writes it: whole numbers, boxes of zeros where there is no mask.
ANNOTATOR = {
    "images": [
        {
            "id": 7,
            "dataset_id": 3,
            "category_ids": [5],
            "path": "/datasets/cards/a.jpg",
            "width": 200,
            "height": 100,
            "file_name": "a.jpg",
            "annotated": False,
            "metadata": {},
            "deleted": False,
        }
    ],
    "categories": [
        {
            "id": 5,
            "name": "card",
            "supercategory": "",
            "color": "#2cb0ee",
            "metadata": {},
            "keypoint_colors": ["#bf5c4d", "#d99100"],
            "keypoints": ["left", "right"],
            "skeleton": [[1, 2]],
        },
        {"id": 6, "name": "table", "supercategory": "", "color": "#fff"},
    ],
    "annotations": [
        {
            "id": 11,
            "image_id": 7,
            "category_id": 5,
            "segmentation": [],
            "area": 0,
            "bbox": [0, 0, 0, 0],
            "iscrowd": False,
            "isbbox": False,
            "keypoints": [30, 40, 2, 0, 0, 0],
            "num_keypoints": 1,
        },
        {
            "id": 12,
            "image_id": 7,
            "category_id": 5,
            "segmentation": [[1, 2, 3, 4, 5, 6]],
            "area": 9,
            "bbox": [1.0, 2.0, 4.0, 4.0],
            "iscrowd": False,
        },
        {"id": 13, "image_id": 7, "category_id": 6, "segmentation": [[1, 2, 3, 4]]},
    ],
}


def written(folder, contents):
    (folder / "sub").mkdir()
    for name in ("a.jpg", "sub/b.jpg"):
        (folder / name).touch()
    path = folder / "coco.json"
    text = contents if isinstance(contents, str) else json.dumps(contents)
    path.write_text(text)
    return path


def changed(place, value, contents=CVAT):
    """A copy of the file with another value at a place, such as "images/0/id"."""
    contents = copy.deepcopy(contents)
    *parents, last = [int(p) if p.isdigit() else p for p in place.split("/")]
    part = contents
    for parent in parents:
        part = part[parent]
    part[last] = value
    return contents


def test_a_file_of_cvat_with_boxes_and_hidden_and_unknown_keypoints(tmp_path):
    path = written(tmp_path, CVAT)
    annotations = read_annotations(path)
    first, second = annotations.faces
    assert first.image == tmp_path / "a.jpg" and second.image == tmp_path / "sub/b.jpg"
    assert first.source == f"{path}: annotation 1"
    np.testing.assert_array_equal(
        first.keypoints, [[10.5, 20], [40.5, 60], [np.nan, np.nan]]
    )
    assert first.attributes == {"box": (10.5, 20, 40.5, 60)}
    assert annotations.failures == []
    layout = annotations.layout
    assert layout.name == "card" and layout.mirror_pairs == ((0, 1),)
    assert layout.outlines == {"edge_1": (0, 1), "edge_2": (1, 2)}


def test_a_file_of_coco_annotator_with_instances_without_keypoints(tmp_path):
    path = written(tmp_path, ANNOTATOR)
    annotations = read_annotations(path)
    (face,) = annotations.faces
    np.testing.assert_array_equal(face.keypoints, [[30, 40], [np.nan, np.nan]])
    assert face.attributes == {}
    assert annotations.failures == [
        f"{path}: 1 without a known keypoint, left out; the first: "
        f"{path}: annotation 12"
    ]


def test_the_keypoints_of_coco_itself_are_pixel_centers_and_its_boxes_are_not(tmp_path):
    path = written(tmp_path, CVAT)
    face = read_annotations(path, coordinates="pixel-centers").faces[0]
    np.testing.assert_array_equal(face.keypoints[0], [11, 20.5])
    assert face.attributes == {"box": (10.5, 20, 40.5, 60)}


@pytest.mark.parametrize("identifier", ["1", 1.0])
def test_ids_may_be_strings_or_floats(tmp_path, identifier):
    contents = changed("annotations/0/image_id", identifier)
    contents = changed("annotations/0/category_id", identifier, contents)
    assert len(read_annotations(written(tmp_path, contents)).faces) == 2


def test_several_instances_of_a_picture_keep_their_order(tmp_path):
    contents = changed("annotations/1/image_id", 1)
    faces = read_annotations(written(tmp_path, contents)).faces
    assert [face.image.name for face in faces] == ["a.jpg", "a.jpg"]


def test_of_two_categories_one_is_chosen_by_its_name(tmp_path):
    contents = changed("categories/1/keypoints", ["centre"])
    contents = changed("annotations/1/category_id", 2, contents)
    contents = changed("annotations/1/keypoints", [5, 6, 2], contents)
    path = written(tmp_path, contents)
    annotations = read_annotations(path, category="hole")
    assert annotations.layout.names == ("centre",) and len(annotations.faces) == 1
    for category, message in (
        (
            None,
            "expected one category with keypoints, or the name of one as `category`; "
            "found card, hole",
        ),
        ("dog", "expected the category 'dog' with keypoints; found card, hole"),
    ):
        with pytest.raises(InputError) as caught:
            read_annotations(path, category=category)
        assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    "place, value, failure",
    [
        (
            "annotations/0/keypoints",
            [1, 2, 2],
            ": annotation 1: expected 9 numbers in `keypoints`, x, y and visibility "
            "of 3 points; found 3",
        ),
        (
            "annotations/0/keypoints",
            "none",
            ": annotation 1: expected 9 numbers in `keypoints`, x, y and visibility "
            "of 3 points; found 'none'",
        ),
        (
            "annotations/0/image_id",
            9,
            ": annotation 1: no image of the file has its image_id 9",
        ),
        (
            "annotations/0/category_id",
            9,
            ": annotation 1: no category of the file has its id 9",
        ),
        (
            "annotations/0",
            None,
            ": annotation number 1: expected an object; found None",
        ),
        (
            "images/0/file_name",
            "none.jpg",
            ": annotation 1: no picture 'none.jpg' in {folder}",
        ),
        (
            "images/0/file_name",
            None,
            ": annotation 1: expected the name of a picture; found None",
        ),
    ],
)
def test_annotations_that_cannot_be_used_are_reported_and_the_rest_is_used(
    tmp_path, place, value, failure
):
    path = written(tmp_path, changed(place, value))
    annotations = read_annotations(path)
    assert [face.source for face in annotations.faces] == [f"{path}: annotation 2"]
    assert annotations.failures == [f"{path}{failure.format(folder=tmp_path)}"]


def test_an_id_of_two_pictures_names_neither(tmp_path):
    contents = changed("images/1/id", 1)
    contents = changed("images/1/file_name", "a.png", contents)
    contents["images"].append({"id": 2, "file_name": "sub/b.jpg"})
    path = written(tmp_path, contents)
    annotations = read_annotations(path)
    assert len(annotations.faces) == 1
    assert annotations.failures == [
        f"{path}: image 1: the id of two pictures, 'a.jpg' and 'a.png'",
        f"{path}: annotation 1: expected the name of a picture; found None",
    ]


@pytest.mark.parametrize(
    "value, name, found",
    [
        ([float("inf"), 1, 2], "x of left_top", "inf"),
        ([1, float("nan"), 2], "y of left_top", "nan"),
        (["one", 1, 2], "x of left_top", "'one'"),
        ([10**400, 1, 2], "x of left_top", str(10**39)),
        ([1, 1, None], "visibility of left_top", "None"),
        ([[1], 1, 2], "x of left_top", "[1]"),
    ],
)
def test_a_bad_number_makes_one_keypoint_unknown(tmp_path, value, name, found):
    contents = changed("annotations/0/keypoints", [*value, 40.5, 60.0, 1, 0, 0, 0])
    path = written(tmp_path, contents)
    annotations = read_annotations(path)
    points = annotations.faces[0].keypoints
    assert np.isnan(points[[0, 2]]).all() and points[1].tolist() == [40.5, 60]
    assert annotations.failures == [
        f"{path}: annotation 1, {name}: expected a number {RANGE}; found {found}"
    ]


def test_an_unknown_keypoint_needs_no_numbers(tmp_path):
    points = [1, 2, 2, None, None, 0, float("nan"), 1, 0]
    path = written(tmp_path, changed("annotations/0/keypoints", points))
    annotations = read_annotations(path)
    np.testing.assert_array_equal(
        annotations.faces[0].keypoints, [[1, 2], [np.nan] * 2, [np.nan] * 2]
    )
    assert annotations.failures == []


@pytest.mark.parametrize(
    "bbox, failure",
    [
        (
            [5, 6, 0, 7],
            ": expected a box with x0 < x1 and y0 < y1; found 5, 6, 5, 13; the "
            "instance is used without it",
        ),
        (
            [5, 6, 7, -1],
            ": expected a box with x0 < x1 and y0 < y1; found 5, 6, 12, 5; the "
            "instance is used without it",
        ),
        ([5, 6, 7], ": expected 4 numbers in `bbox`; found [5, 6, 7]"),
        (
            [5, 6, "wide", 7],
            f", width of `bbox`: expected a number {RANGE}; found 'wide'",
        ),
    ],
)
def test_a_bad_box_is_left_out(tmp_path, bbox, failure):
    path = written(tmp_path, changed("annotations/0/bbox", bbox))
    annotations = read_annotations(path)
    assert annotations.faces[0].attributes == {}
    assert annotations.failures == [f"{path}: annotation 1{failure}"]


@pytest.mark.parametrize("skeleton", [[[0, 1]], [[1, 4]], [[1, 2, 3]], "lines"])
def test_a_bad_skeleton_costs_the_lines_alone(tmp_path, skeleton):
    path = written(tmp_path, changed("categories/0/skeleton", skeleton))
    annotations = read_annotations(path)
    assert annotations.layout.outlines == {} and len(annotations.faces) == 2
    (failure,) = annotations.failures
    assert failure.startswith(
        f"{path}: category card: expected a `skeleton` of pairs of numbers 1 to 3; "
        f"found"
    )


@pytest.mark.parametrize(
    "contents, message",
    [
        (
            changed("categories/0/keypoints", []),
            ": expected a category with `keypoints`, the names of its points; found "
            "the categories card, hole, without",
        ),
        (
            changed("categories", []),
            ": expected a category with `keypoints`, the names of its points; found "
            "the categories none, without",
        ),
        (
            changed("categories/0/keypoints", ["a", "a", "b"]),
            ": category card: `names` must be different strings",
        ),
        (
            changed("annotations", {}),
            ": expected COCO keypoints, a JSON object with the lists images, "
            "annotations, categories; found no annotations",
        ),
        (
            {"photo.jpg": [[1, 2, 3, 4]]},
            ": expected COCO keypoints, a JSON object with the lists images, "
            "annotations, categories; found no images, ",
        ),
        (changed("annotations", []), ": no instance can be used: the file lists none"),
        (
            json.dumps(CVAT, indent=1)[:900],
            ":73: expected JSON, whole and undamaged; Expecting value, column 17",
        ),
        ("{" * 100_000, ":1: expected JSON, whole and undamaged; "),
        ('{"images": ' + "[" * 100_000, ": expected JSON; "),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error(tmp_path, contents, message):
    path = written(tmp_path, contents)
    with pytest.raises(InputError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(f"{path}{message}")
