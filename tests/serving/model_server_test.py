"""The shipped preset behind a real TensorFlow model server: collected only where a
`tensorflow_model_server` is on the PATH (conftest.py)."""

import json
import socket
import subprocess
import time

import numpy as np
import pytest

import rcn_keras
from rcn_keras.cli import main
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import box_squares
from rcn_keras.faces.crop import input_crop
from rcn_keras.faces.images import read_image
from rcn_keras.serving.client import Client

PHOTO = "examples/astronaut.jpg"
BOX = [180, 65, 265, 172]


@pytest.fixture(scope="module")
def predictor():
    return rcn_keras.Predictor.from_preset("rcn6_mtfl")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """A server's gRPC and REST address, once it answers."""
    folder = tmp_path_factory.mktemp("saved_models") / "rcn6_mtfl"
    rcn_keras.export_model("rcn6_mtfl", folder)
    with socket.socket() as first, socket.socket() as second:
        for free in (first, second):
            free.bind(("127.0.0.1", 0))
        grpc_port, rest_port = (free.getsockname()[1] for free in (first, second))
    log = folder.with_name("server.log")
    command = ["tensorflow_model_server", f"--model_base_path={folder}"]
    command += ["--model_name=rcn6_mtfl", f"--port={grpc_port}"]
    command += [f"--rest_api_port={rest_port}"]
    with open(log, "wb") as log_file:
        server = subprocess.Popen(command, stdout=log_file, stderr=subprocess.STDOUT)
    addresses = {
        "grpc": f"127.0.0.1:{grpc_port}",
        "rest": f"http://127.0.0.1:{rest_port}",
    }
    try:
        for address in addresses.values():
            wait_for(Client(address, retries=0), server, log)
        yield addresses
    finally:
        server.terminate()
        server.wait()


def wait_for(client, server, log):
    for _ in range(120):
        try:
            return client.check()
        except (OSError, InputError):  # Not there yet, or the model not loaded.
            assert server.poll() is None, log.read_text()
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(params=["grpc", "rest"])
def client(request, addresses):
    return Client(addresses[request.param], timeout=60)


def test_the_photograph(client, predictor):
    (expected,) = predictor(PHOTO, [BOX])
    (found,) = client(PHOTO, [BOX])
    # From the same pixels 0.02; the two JPEG decoders' may differ a little.
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=0.3)
    np.testing.assert_allclose(found.confidence, expected.confidence, atol=0.02)
    (found,) = client(read_image(PHOTO), [BOX])  # Goes as PNG.
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=0.03)


def test_many_faces(client, predictor):
    shifts = np.linspace(-9, 9, 40)[:, None]
    boxes = np.array(BOX) + shifts
    image = read_image(PHOTO)
    expected = np.stack([face.keypoints for face in predictor(image, boxes)])
    found = np.stack([face.keypoints for face in client(image, boxes)])
    np.testing.assert_allclose(found, expected, atol=0.03)


def test_crops_and_heatmaps(client, predictor):
    image = read_image(PHOTO)
    square = box_squares(np.array([BOX], float), predictor.layout)[0]
    crops = np.stack([input_crop(image, square, predictor.layout.square.context)] * 3)
    crops[1] = 0
    found = client.crops(crops)
    assert found["keypoints"].shape == (3, 5, 2)
    np.testing.assert_array_equal(found["keypoints"][0], found["keypoints"][2])
    as_floats = client.crops(crops.astype("float32"))
    np.testing.assert_allclose(as_floats["keypoints"], found["keypoints"], atol=1e-4)
    maps = client.heatmaps(crops)
    assert maps["heatmaps"].shape == (3, 80, 80, 5)
    np.testing.assert_allclose(maps["heatmaps"].sum((1, 2)), 1, atol=1e-3)
    np.testing.assert_allclose(maps["keypoints"], found["keypoints"], atol=1e-4)


def test_unknown_model_and_version(client):
    for wrong in ({"model": "rcn7"}, {"version": 7}):
        with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
            Client(client.address, **wrong).check()


def test_predict_by_the_server(client, capsys, tmp_path):
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"astronaut.jpg": [BOX]}))
    arguments = ["predict", PHOTO, "--boxes", str(boxes)]
    keypoints = []
    for options in ([], ["--server", client.address]):
        assert main([*arguments, *options]) == 0
        keypoints.append(json.loads(capsys.readouterr().out)["faces"][0]["keypoints"])
    np.testing.assert_allclose(*keypoints, atol=0.3)
