"""A server that finds the faces too, and `rcn-keras predict --detector server`."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from rcn_keras.cli import main
from rcn_keras.errors import InputError
from rcn_keras.serving.client import Client
from rcn_keras.serving.finder import ServerPredictor
from rcn_keras.stream import predictions


def picture(red, size=(30, 40)):
    image = np.zeros((*size, 3), "uint8")
    image[..., 0] = red
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_photograph_travels_once(server):
    predictor = ServerPredictor(Client(server.address))
    data = picture(51)
    faces = predictor(data)
    assert [round(face.score, 3) for face in faces] == [0.9, 0.8]
    np.testing.assert_allclose(faces[1].box, [2, 3, 4.8, 5], atol=1e-6)
    np.testing.assert_allclose(faces[1].keypoints, np.tile([4.8, 7], (5, 1)), atol=1e-6)
    np.testing.assert_allclose(faces[1].confidence, 0.2, atol=1e-6)
    assert faces[1].face_score == pytest.approx(0.1)
    assert faces[1].as_dict()["keypoints"][0] == [4.8, 7]
    ((signature, inputs),) = server.requests
    assert signature == "photographs" and inputs["image_bytes"] == [data]
    assert predictor(picture(0)) == []


def test_many_photographs_keep_their_order(server):
    predictor = ServerPredictor(Client(server.address))
    data = [picture(red, (20, 20 + red)) for red in (5, 0, 9, 7, 0, 3)] * 3
    data[4] = b"no picture"
    answers = list(predictions(predictor, data))
    assert [None if image is None else image.shape[1] for image, _ in answers] == [
        None if i == 4 else 20 + (5, 0, 9, 7, 0, 3)[i % 6] for i in range(18)
    ]
    assert isinstance(answers[4][1], InputError)
    counts = [len(faces) for _, faces in answers[5:11]]
    assert counts == [2, 2, 0, 2, 2, 0]


def test_a_batch_of_photographs(server):
    client = Client(server.address, batch_size=2)
    wired = [(picture(red), f"picture {red}") for red in (9, 0, 7)]
    found = client.photographs(wired)
    assert [len(scores) for _, scores, *_ in found] == [2, 0, 2]
    with pytest.raises(InputError, match="picture bad: the server at .* not read"):
        client.photographs([*wired, (b"none", "picture bad")])


def test_a_server_that_answers_otherwise(server):
    server.spoil = lambda answer: answer | {"boxes": answer["boxes"][:, :3]}
    with pytest.raises(InputError, match="does not answer as one that"):
        ServerPredictor(Client(server.address))(picture(9))


def test_predict_by_the_server_alone(server, tmp_path, capsys):
    (tmp_path / "two.png").write_bytes(picture(51))
    (tmp_path / "none.png").write_bytes(picture(0))
    photos = [str(tmp_path / name) for name in ("two.png", "none.png")]
    options = ["--server", server.address, "--detect", "server"]
    assert main(["predict", *photos, *options, "--out", str(tmp_path / "drawn")]) == 0
    printed = capsys.readouterr()
    records = [json.loads(line) for line in printed.out.splitlines()]
    assert [len(record["faces"]) for record in records] == [2, 0]
    assert printed.err.splitlines() == [f"rcn-keras: {photos[1]}: no face found"]
    assert {signature for signature, _ in server.requests} == {"photographs"}
    assert main(["predict", *photos, "--detector", "server"]) == 2
    assert "--detector server needs --server" in capsys.readouterr().err
