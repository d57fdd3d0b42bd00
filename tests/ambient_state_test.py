"""What users set around our calls: numpy's error handling, forked processes, layouts
of other numbers of keypoints."""

import subprocess
import sys

import numpy as np
import pytest

import rcn_keras
from rcn_keras.data import crops
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.synthetic import write_mtfl
from rcn_keras.faces.images import read_image
from rcn_keras.plotting import draw

PHOTO = "examples/astronaut.jpg"
BOX = [180, 65, 265, 172]


def test_numpy_may_raise_whatever_it_meets(tmp_path):
    image = read_image(PHOTO)
    with np.errstate(all="raise"):
        predictor = rcn_keras.Predictor.from_preset("rcn6_mtfl")
        corner = [-30, -30, 9, 9]
        faces = predictor([image, image / 255], [[BOX, corner], [BOX]])[0]
        assert len(faces) == 2
        draw(image, [face.as_dict() for face in faces])
        write_mtfl(tmp_path / "demo", training=3, testing=2)
        faces = read_mtfl(tmp_path / "demo", "training")
        assert len(crops.load_crops(faces, rcn_keras.FACE_5)) == 3


def test_a_forked_process_raises_instead_of_waiting_for_ever():
    program = """
import os, sys, numpy, rcn_keras
predictor = rcn_keras.Predictor(rcn_keras.build_rcn(branches=4))
image = numpy.zeros((90, 90, 3), "uint8")
child = os.fork()
if not child:
    try:
        predictor(image, [[9, 9, 80, 80]])
    except rcn_keras.errors.InputError as error:
        os.write(1, str(error).encode())
    os._exit(0)
os.waitpid(child, 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=300
    )
    assert b"'spawn' or 'forkserver'" in done.stdout, done.stderr


def test_98_keypoints_need_a_layout_and_are_predicted_with_one():
    with pytest.raises(ValueError, match="a `layout` .* Received: keypoints=98"):
        rcn_keras.build_rcn(branches=4, keypoints=98)
    layout = rcn_keras.KeypointLayout("98", tuple(f"point_{n}" for n in range(98)))
    predictor = rcn_keras.Predictor(rcn_keras.build_rcn(branches=4, layout=layout))
    (face,) = predictor(PHOTO, [BOX])
    assert face.keypoints.shape == (98, 2) and face.confidence.shape == (98,)
