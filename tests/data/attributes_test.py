import dataclasses

import numpy as np
import pytest

from rcn_keras.attributes import ATTRIBUTES
from rcn_keras.data.attributes import attribute_targets, repeated_by_pose
from rcn_keras.data.augmentation import Augmentation
from rcn_keras.errors import InputError

STILL = Augmentation(flip=False)


def test_classes_count_from_zero(crops):
    targets = attribute_targets(crops.faces, STILL)
    assert list(targets) == list(ATTRIBUTES)
    for name, classes in ATTRIBUTES.items():
        labels = [face.attributes[name] for face in crops.faces]
        np.testing.assert_array_equal(targets[name], np.array(labels) - 1)
        assert targets[name].dtype == "int32"
        assert targets[name].min() >= 0 and targets[name].max() < classes


@pytest.mark.parametrize(
    "attributes, message",
    [
        ({}, "expected the attribute 'gender', 1 to 2 .* found None"),
        ({"pose": 6}, "expected the attribute 'pose', 1 to 5 .* found 6"),
        ({"smile": 0}, "expected the attribute 'smile', 1 to 2 .* found 0"),
    ],
)
def test_a_face_without_them_is_named(crops, attributes, message):
    face = crops.faces[1]
    labels = face.attributes | attributes if attributes else {}
    bad = dataclasses.replace(face, attributes=labels)
    with pytest.raises(InputError, match=rf"training.txt:\d+: {message}"):
        attribute_targets([crops.faces[0], bad], None)


def test_mirrored_faces_are_refused(crops):
    with pytest.raises(ValueError, match="not mirrored. Received:.*flip=True"):
        attribute_targets(crops.faces, Augmentation())


def test_repeated_by_pose(crops):
    times = (3, 0, 1, 2, 4)
    repeated = repeated_by_pose(crops, times)
    expected = [
        face.source
        for face in crops.faces
        for _ in range(times[face.attributes["pose"] - 1])
    ]
    assert [face.source for face in repeated.faces] == expected
    assert len(repeated) == len(repeated.images) == len(repeated.keypoints)
    bare = dataclasses.replace(crops.faces[0], attributes={})
    with pytest.raises(InputError, match="expected the attribute 'pose'"):
        repeated_by_pose(dataclasses.replace(crops, faces=[bare]), times)
