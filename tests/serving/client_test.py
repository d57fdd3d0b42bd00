import io
import re
import time
from concurrent import futures

import numpy as np
import pytest
from PIL import Image
from server_stubs import BOX, PHOTO, face, predicted

from rcn_keras.errors import InputError
from rcn_keras.faces.images import decode_image
from rcn_keras.predictor import Predictor
from rcn_keras.serving.client import Client


def encoded(array, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def picture(seed, height=40, width=60):
    """A picture of one colour, so that a box's mean is that of the whole."""
    colour = np.random.default_rng(seed).integers(0, 256, 3)
    return encoded(np.full((height, width, 3), colour, "uint8"))


def some_boxes(count):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 20, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(5, 15, (count, 2))], axis=1)


def check(found, pictures, boxes):
    """What the client gave is what the stub works out of each row by itself."""
    expected = [face(*row) for row in zip(pictures, boxes)]
    np.testing.assert_array_equal(found[0], [keypoints for keypoints, _ in expected])
    np.testing.assert_array_equal(found[1], [confidence for _, confidence in expected])
    np.testing.assert_array_equal(found[2], found[1][:, 0] / 2)
    assert [each.dtype for each in found] == ["float64", "float32", "float32"]


def rows(server):
    return [len(inputs["boxes"]) for _, inputs in server.requests]


def test_faces(server):
    pictures, boxes = [picture(seed) for seed in range(5)], some_boxes(5)
    check(Client(server.address).faces(pictures, boxes), pictures, boxes)
    ((signature, inputs),) = server.requests
    assert signature == "faces" and inputs["image_bytes"] == pictures
    np.testing.assert_array_equal(inputs["boxes"], boxes.astype("float32"))


def test_crops_and_heatmaps(server):
    client = Client(server.address, version=1)
    crops = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 1)).astype("uint8")
    for images, signature in [
        (crops, "serving_uint8"),
        (crops[..., 0], "serving_uint8"),
        (crops / 2, "serving_default"),
    ]:
        found = client.crops(images)
        assert server.requests[-1][0] == signature
        expected = predicted(signature, {"images": images.reshape(3, 80, 80, 1)})
        assert set(found) == {"keypoints", "confidence", "face_score"}
        for name, value in found.items():
            np.testing.assert_array_equal(value, expected[name])
    found = client.heatmaps(crops)
    assert server.requests[-1][0] == "heatmaps"
    assert found["heatmaps"].shape == (3, 80, 80, 5)
    np.testing.assert_array_equal(found["heatmaps"][1, ..., 4], crops[1, ..., 0] * 5.0)


def test_requests_are_bounded_by_rows(server):
    pictures, boxes = [picture(seed) for seed in range(8)], some_boxes(8)
    client = Client(server.address, batch_size=3)
    check(client.faces(pictures, boxes), pictures, boxes)
    assert rows(server) == [3, 3, 2]
    client.crops(np.zeros((4, 80, 80), "uint8"))
    assert [len(inputs["images"]) for _, inputs in server.requests[3:]] == [3, 1]


def test_requests_are_bounded_by_bytes(server):
    small = picture(0)
    large = encoded(np.random.default_rng(0).integers(0, 256, (40, 60, 3), "uint8"))
    most = 2 * len(small)
    assert len(large) > most
    pictures = [small, small, small, large, large, small]
    boxes = some_boxes(6)
    client = Client(server.address, max_bytes=most)
    check(client.faces(pictures, boxes), pictures, boxes)
    assert rows(server) == [2, 1, 1, 1, 1]


def test_requests_of_many_megabytes(server):
    noise = np.random.default_rng(0).integers(0, 256, (1300, 1400, 3), "uint8")
    pictures, boxes = [encoded(noise, compress_level=0)] * 4, some_boxes(4)
    assert 16 / 4 < len(pictures[0]) / 2**20 < 16 / 3
    check(Client(server.address).faces(pictures, boxes), pictures, boxes)
    assert rows(server) == [3, 1]


def test_unavailable_is_tried_again_after_growing_pauses(server):
    server.faults = ["UNAVAILABLE", "UNAVAILABLE"]
    start = time.monotonic()
    Client(server.address).faces([picture(0)], some_boxes(1))
    assert len(server.requests) == 3 and time.monotonic() - start > 0.6
    server.faults = ["UNAVAILABLE", "UNAVAILABLE"]
    with pytest.raises(ConnectionError, match="not ready .*tried 2 times.*as planned"):
        Client(server.address, retries=1).check()
    assert len(server.requests) == 5


@pytest.mark.parametrize("status", ["INVALID_ARGUMENT", "INTERNAL"])
def test_a_refusal_is_not_tried_again(server, status):
    server.faults = [status]
    with pytest.raises(InputError, match="the server refuses .*as planned") as error:
        Client(server.address).check()
    assert len(server.requests) == 1 and server.address in str(error.value)


@pytest.mark.parametrize("wrong", [{"model": "rcn7"}, {"version": 2}])
def test_unknown_model_or_version(server, wrong):
    with pytest.raises(InputError, match="Servable not found") as error:
        Client(server.address, **wrong).check()
    for text in (server.address, *map(str, wrong.values()), "rcn-keras export"):
        assert text in str(error.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: {"confidence": answer["confidence"]},
        lambda answer: {"keypoints": answer["keypoints"]},
        lambda answer: answer | {"face_score": answer["confidence"]},
        lambda answer: answer | {"keypoints": answer["keypoints"][:1]},
        lambda answer: answer | {"keypoints": answer["keypoints"][:, :4]},
        lambda answer: answer | {"keypoints": answer["confidence"]},
        lambda answer: {
            name: answer[name][:, 0] for name in ("keypoints", "confidence")
        },
    ],
)
def test_an_answer_of_another_shape(server, change):
    server.spoil = change
    with pytest.raises(InputError, match="does not answer as .*keypoints, confidence"):
        Client(server.address).crops(np.zeros((2, 80, 80), "uint8"))


def test_a_server_of_an_older_export_gives_no_face_score(server):
    server.spoil = lambda answer: {
        name: answer[name] for name in ("keypoints", "confidence")
    }
    keypoints, confidence, face_score = Client(server.address, batch_size=2).faces(
        [picture(seed) for seed in range(3)], some_boxes(3)
    )
    assert keypoints.shape == (3, 5, 2) and confidence.shape == (3, 5)
    assert face_score.shape == (3,) and np.isnan(face_score).all()


def test_a_picture_that_the_server_cannot_read_is_named(server, tmp_path):
    def spoil(answer):
        answer["keypoints"][1] = np.nan
        return answer

    server.spoil = spoil
    client = Client(server.address)
    pictures = [picture(seed) for seed in range(3)]
    with pytest.raises(InputError, match=r"^image 1: the server at .* box \["):
        client.faces(pictures, some_boxes(3))
    path = tmp_path / "b.png"
    path.write_bytes(pictures[1])
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: the server"):
        Predictor(client)([pictures[0], path], some_boxes(2)[:, None])


def test_a_damaged_file_is_named_before_anything_is_sent(server, tmp_path):
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded(np.zeros((50, 50, 3), "uint8"), "JPEG")[:-300])
    client = Client(server.address)
    for damaged, name in [(path, str(path)), (path.read_bytes(), "image 1")]:
        with pytest.raises(InputError, match=f"^{re.escape(name)}: damaged image"):
            Predictor(client)([picture(0), damaged], some_boxes(2)[:, None])
    with pytest.raises(InputError, match="^image 1: damaged image"):
        client.faces([picture(0), path.read_bytes()], some_boxes(2))
    with pytest.raises(InputError, match="missing.jpg: no such file"):
        Predictor(client)(tmp_path / "missing.jpg", [BOX])
    with pytest.raises(InputError, match="^image 0: .*outside the picture of 60x40"):
        client.faces([picture(0)], [[70, 0, 80, 9]])
    assert not server.requests


def test_what_the_graph_would_read_otherwise_goes_as_png(server):
    half = np.zeros((40, 60, 3), "uint8")
    half[:, :30] = 255  # Turned by a quarter: white above.
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(half, "JPEG", exif=exif.tobytes(), quality=95)
    deep = encoded(np.linspace(0, 65535, 2400).astype("uint16").reshape(40, 60))
    bitmap = encoded(half, "BMP")
    upright = encoded(half, "JPEG", quality=95)
    pictures = [turned, deep, bitmap, upright, picture(0)]
    white = [[2, 2, 38, 26], [2, 30, 50, 39], *[[2, 2, 26, 38]] * 3]
    _, confidence, _ = Client(server.address).faces(pictures, white)
    assert (confidence[[0, 2, 3]] > 0.98).all()
    sent = server.requests[0][1]["image_bytes"]
    assert sent[3:] == pictures[3:]
    for before, after in zip(pictures[:3], sent):
        with Image.open(io.BytesIO(after)) as image:
            assert image.format == "PNG" and image.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(image), decode_image(before))


def test_a_predictor_takes_it_in_place_of_a_model(server):
    client = Predictor(Client(server.address))
    with open(PHOTO, "rb") as file:
        whole = file.read()
    (expected,) = client(PHOTO, boxes=[BOX])
    np.testing.assert_allclose(expected.keypoints[4], BOX[2:])
    assert expected.score == 1.0 and expected.as_dict()["box"] == BOX
    assert server.requests[-1][1]["image_bytes"] == [whole]
    found = client([whole, decode_image(whole), PHOTO], [[BOX], [BOX], []])
    assert [len(faces) for faces in found] == [1, 1, 0]
    for (same,) in found[:2]:
        np.testing.assert_array_equal(same.keypoints, expected.keypoints)
        np.testing.assert_allclose(same.confidence, expected.confidence, atol=0.01)
        assert same.face_score == pytest.approx(same.confidence[0] / 2)
    assert len(server.requests) == 2
    assert client([], []) == [] and client(PHOTO, boxes=[]) == []
    with pytest.raises(InputError, match="one list of boxes is needed"):
        client([PHOTO], [])
    assert len(server.requests) == 2


def test_a_detector_here(server):
    def detector(image):
        assert image.shape == (512, 512, 3)
        return np.float32([BOX, [900, 900, 950, 950]]), np.float32([0.9, 0.8])

    (found,) = Predictor(Client(server.address), detector)(PHOTO)
    assert found.score == pytest.approx(0.9) and found.box.tolist() == BOX


def test_a_picture_of_many_faces_is_read_once(server, monkeypatch):
    read = []
    opened = Image.open
    monkeypatch.setattr(
        Image,
        "open",
        lambda *args, **options: read.append(1) or opened(*args, **options),
    )
    Client(server.address).faces([picture(0)] * 9, some_boxes(9))
    assert len(read) < 9 + 9  # The stub's own nine among them.


def test_bad_arguments():
    client = Client("http://127.0.0.1:1", retries=0)
    for boxes in ([], [BOX, BOX], [BOX[:3]], BOX):
        with pytest.raises(InputError, match="one for each of N pictures"):
            client.faces([picture(0)], boxes)
    for shape in ((0, 80, 80), (80, 80), (1, 81, 80, 1), (1, 80, 80, 3)):
        with pytest.raises(InputError, match="Received shape"):
            client.crops(np.zeros(shape))
    for wrong in (np.zeros((1, 80, 80), "int32"), np.full((1, 80, 80), np.nan)):
        with pytest.raises(InputError, match="uint8, or finite floats"):
            client.heatmaps(wrong)
    for wrong in ({"batch_size": 0}, {"retries": -1}, {"timeout": 0}):
        with pytest.raises(ValueError, match=f"Received: .*{next(iter(wrong))}"):
            Client("http://127.0.0.1:1", **wrong)


def test_threads_share_a_client(server):
    client, boxes = Client(server.address), some_boxes(8)
    pictures = [picture(seed) for seed in range(8)]
    with futures.ThreadPoolExecutor(4) as pool:
        found = pool.map(client.faces, *([[x] for x in xs] for xs in (pictures, boxes)))
        for one, *expected in zip(found, pictures, boxes):
            check(one, *([value] for value in expected))
