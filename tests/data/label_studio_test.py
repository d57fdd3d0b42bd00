import json

import numpy as np
import pytest

from rcn_keras.data.keypoint_files import read_annotations
from rcn_keras.data.points_file import RANGE
from rcn_keras.errors import InputError

SIZE = {"original_width": 200, "original_height": 100, "image_rotation": 0}


def point(label, x, y, **fields):
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": [label]}
    region = {"id": f"{label}{x}", "from_name": "kp-1", "to_name": "img-1"}
    return region | SIZE | {"type": "keypointlabels", "value": value} | fields


def box(identifier, x, y, width, height, **fields):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    value = value | {"rectanglelabels": ["card"]} | fields
    return {"id": identifier, "type": "rectanglelabels", "value": value} | SIZE


def task(*regions, image="/data/upload/3/0a1b2c3d-a.jpg", **fields):
    annotation = {"id": 9, "completed_by": 1, "was_cancelled": False, "lead_time": 4.2}
    annotation |= {"result": list(regions)} | fields
    others = {"predictions": [], "drafts": [], "meta": {}, "project": 3}
    return {"id": 5, "annotations": [annotation], "data": {"image": image}} | others


def written(folder, *tasks):
    for name in ("a.jpg", "b c.jpg"):
        (folder / name).touch()
    path = folder / "project-3.json"
    path.write_text(json.dumps(list(tasks)))
    return path


def test_the_regions_of_a_picture_are_an_instance_in_pixels(tmp_path):
    right, left = point("right_eye", 75, 50), point("left_eye", 25.25, 40)
    path = written(tmp_path, task(right, box("r", 10, 20, 30, 40), left))
    annotations = read_annotations(path)
    (face,) = annotations.faces
    assert face.image == tmp_path / "a.jpg" and face.source == f"{path}: task 5"
    assert annotations.layout.names == ("left_eye", "right_eye")
    assert annotations.layout.mirror_pairs == ((0, 1),)
    np.testing.assert_array_equal(face.keypoints, [[50.5, 40], [150, 50]])
    assert face.attributes == {"box": (20, 20, 80, 60)} and annotations.failures == []


def test_nested_regions_are_the_instances_of_a_picture(tmp_path):
    regions = [
        box("r1", 0, 0, 50, 100),
        box("r2", 50, 0, 50, 100),
        point("tip", 10, 10, parentID="r1"),
        point("tip", 60, 10, parentID="r2"),
        point("end", 60, 90, parentID="r2"),
        point("end", 95, 95),
        {"from_id": "tip10", "to_id": "r1", "type": "relation", "direction": "right"},
    ]
    path = written(tmp_path, task(*regions))
    annotations = read_annotations(path)
    first, second = annotations.faces
    np.testing.assert_array_equal(first.keypoints, [[np.nan] * 2, [20, 10]])
    np.testing.assert_array_equal(second.keypoints, [[120, 90], [120, 10]])
    assert second.attributes == {"box": (100, 0, 200, 100)}
    assert annotations.failures == [
        f"{path}: task 5: expected a `parentID` of every keypoint, as there are 2 "
        "instances; 1 without, left out"
    ]


@pytest.mark.parametrize(
    "image, name",
    [
        ("/data/local-files/?d=pictures/b%20c.jpg", "b c.jpg"),
        ("https://example.com/pictures/a.jpg?size=1", "a.jpg"),
        ("s3://bucket/pictures/a.jpg", "a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_the_picture_is_found_by_the_end_of_its_address(tmp_path, image, name):
    path = written(tmp_path, task(point("tip", 1, 2), image=image))
    assert read_annotations(path).faces[0].image == tmp_path / name


@pytest.mark.parametrize(
    "regions, failure",
    [
        (
            [point("tip", "x", 2)],
            f"region tipx, x: expected a number {RANGE}; found 'x'",
        ),
        (
            [point("tip", 1, 2, original_width=None)],
            f"region tip1, original_width: expected a number {RANGE}; found None",
        ),
        (
            [point("tip", 1, 2, image_rotation=90)],
            "region tip1: expected a picture that is not rotated",
        ),
        (
            [box("r", 1, 2, 3, 4, rotation=30)],
            "region r: expected a box that is not rotated; it is left out",
        ),
        (
            [box("r", 1, 2, 0, 4)],
            "region r: expected a box with x0 < x1 and y0 < y1; found 2, 2, 2, 6; the "
            "instance is used without it",
        ),
    ],
)
def test_a_bad_region_is_reported_and_the_rest_is_used(tmp_path, regions, failure):
    path = written(tmp_path, task(*regions, point("end", 50, 50)))
    annotations = read_annotations(path)
    np.testing.assert_array_equal(annotations.faces[0].keypoints[0], [100, 50])
    assert annotations.faces[0].attributes == {}
    assert annotations.failures == [f"{path}: task 5, {failure}"]


def test_a_label_twice_and_a_second_annotation_are_reported(tmp_path):
    twice = task(point("tip", 1, 2), point("tip", 3, 4))
    second = task(point("tip", 1, 2))
    second["annotations"] *= 2
    cancelled = task(point("tip", 1, 2), was_cancelled=True)
    path = written(tmp_path, twice, second, cancelled, task(point("tip", 1, 2)))
    annotations = read_annotations(path)
    assert len(annotations.faces) == 2
    assert annotations.failures == [
        f"{path}: task 5: expected each label once an instance; found one twice; left "
        "out. Nest the keypoints of an instance in one region",
        f"{path}: task 5: 2 annotations; the first is used",
        f"{path}: 1 without a known keypoint, left out; the first: {path}: task 5",
    ]


@pytest.mark.parametrize(
    "tasks, message",
    [
        ([], "no instance can be used: {path}: no region with `keypointlabels`"),
        (
            [task(box("r", 1, 2, 3, 4))],
            "no instance can be used: {path}: no region with `keypointlabels`",
        ),
        (
            [task(point("tip", 1, 2), image="none.jpg")],
            "no instance can be used: {path}: task 5: no picture 'none.jpg'",
        ),
        (
            [{"id": 1, "image": "a.jpg", "kp-1": []}],
            "expected Label Studio's export as JSON (not JSON-MIN), a list of tasks",
        ),
        (
            [[1, 2]],
            "expected Label Studio's export as JSON (not JSON-MIN), a list of tasks",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error(tmp_path, tasks, message):
    path = written(tmp_path, *tasks)
    with pytest.raises(InputError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(f"{path}: {message.format(path=path)}")
