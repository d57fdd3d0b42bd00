"""`rcn-keras predict --server`."""

import json

import numpy as np
import pytest
from server_stubs import BOX, PHOTO, face, free_port

from rcn_keras.cli import main


@pytest.fixture
def predict(capsys, server, tmp_path):
    """`predict --server` with boxes for `examples/astronaut.jpg` in any folder."""
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"astronaut.jpg": [BOX], "cut.jpg": [BOX]}))

    def predict(*arguments, address=server.address):
        options = ["--server", address, "--boxes", boxes]
        code = main([str(part) for part in ("predict", *arguments, *options)])
        output = capsys.readouterr()
        return code, output.out.splitlines(), output.err.splitlines()

    return predict


def test_predict_by_a_server(predict, server, tmp_path):
    with open(PHOTO, "rb") as file:
        whole = file.read()
    damaged = tmp_path / "cut.jpg"
    damaged.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "drawn"
    # No weights are loaded: there are none at this place.
    code, lines, errors = predict(
        damaged, PHOTO, "--out", out, "--preset", "nowhere/rcn6_mtfl"
    )
    assert code == 1 and len(lines) == 1
    assert len(errors) == 1 and f"error: {damaged}: damaged image" in errors[0]
    record = json.loads(lines[0])
    assert record["image"] == PHOTO
    (found,) = record["faces"]
    keypoints, confidence = face(whole, BOX)
    np.testing.assert_allclose(found["keypoints"], keypoints, atol=1e-3)
    np.testing.assert_allclose(found["confidence"], confidence, atol=1e-4)
    assert found["box"] == BOX and found["score"] == 1.0
    assert [path.name for path in out.iterdir()] == ["astronaut.png"]
    signatures = [signature for signature, _ in server.requests]
    assert signatures == ["faces", "faces"]
    assert server.requests[1][1]["image_bytes"] == [whole]


def test_predict_by_a_server_that_has_no_such_model(predict):
    code, lines, errors = predict(PHOTO, PHOTO, "--preset", "rcn7")
    assert code == 2 and not lines
    assert len(errors) == 1 and "'rcn7'" in errors[0]


def test_predict_without_its_server(predict):
    for address, message in [
        (f"127.0.0.1:{free_port()}", "no model server can be reached"),
        ("localhost", "the server's address must be HOST:PORT"),
    ]:
        code, lines, errors = predict(PHOTO, PHOTO, address=address)
        assert code == 2 and not lines
        assert len(errors) == 1 and message in errors[0]
