import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError
from rcn_keras.serving.pictures import request_slices, wire_bytes


def encoded(kind, mode="RGB", orientation=None, **options):
    image = Image.fromarray(draw_face(np.random.default_rng(0), size=64)[0])
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype("uint16") * 250)
    buffer = io.BytesIO()
    image = image if mode == "I;16" else image.convert(mode)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def check_what_is_sent(data, as_it_is):
    sent, image = wire_bytes(data, "a")
    assert (sent is data) == as_it_is
    decoded = tf.io.decode_jpeg(sent, channels=3, dct_method="INTEGER_ACCURATE")
    np.testing.assert_array_equal(decoded, image)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_goes_as_it_is(mode):
    check_what_is_sent(encoded("PNG", mode), True)


@pytest.mark.parametrize("orientation", [None, 0, 1, 9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_is_upright_goes_as_it_is(kind, orientation):
    check_what_is_sent(encoded(kind, orientation=orientation), True)


def test_the_jpeg_of_a_camera_goes_as_it_is():
    second = Image.new("RGB", (8, 8))
    check_what_is_sent(encoded("MPO", save_all=True, append_images=[second]), True)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "JPEG", "orientation": 6},
        {"kind": "PNG", "orientation": 3},
        {"kind": "JPEG", "mode": "CMYK"},
        {"kind": "PNG", "mode": "I;16"},
        {"kind": "BMP"},
        {"kind": "GIF"},
        {"kind": "TIFF"},
        {"kind": "WEBP"},
    ],
)
def test_anything_else_goes_as_a_png(options):
    check_what_is_sent(encoded(**options), False)


@pytest.mark.parametrize("lost", [4, 12])
def test_a_png_that_only_pillow_reads_is_repaired(lost):
    data = encoded("PNG")[:-lost]
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_jpeg(data)
    check_what_is_sent(data, False)


@pytest.mark.parametrize("data", [b"", b"text", encoded("JPEG")[:-100]])
def test_what_cannot_be_read_is_named(data):
    with pytest.raises(InputError, match="^a.jpg: "):
        wire_bytes(data, "a.jpg")


@pytest.mark.parametrize(
    "sizes, parts",
    [
        ([], []),
        ([1], [1]),
        ([1] * 7, [3, 3, 1]),
        ([6, 4, 1, 9, 2], [2, 2, 1]),
        ([99, 1, 99], [1, 1, 1]),
    ],
)
def test_request_slices(sizes, parts):
    found = list(request_slices(sizes, most_rows=3, most_bytes=10))
    assert [part.stop - part.start for part in found] == parts
    rows = [row for part in found for row in range(part.start, part.stop)]
    assert rows == list(range(len(sizes)))
