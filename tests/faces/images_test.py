import io
import re

import numpy as np
import pytest
from PIL import Image, features

from rcn_keras.errors import InputError
from rcn_keras.faces import images


def colourful(height=6, width=9, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3)).astype("uint8")


def stored(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


# What a viewer has to do for each EXIF orientation.
ORIENTATIONS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
    8: lambda x: np.rot90(x),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_orientation_is_honoured(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = stored(tmp_path / "a.png", colourful(), exif=exif)
    expected = ORIENTATIONS[orientation](colourful())
    np.testing.assert_array_equal(images.read_image(path), expected)


@pytest.mark.parametrize("suffix", sorted(images.SUFFIXES - {".pgm"}))
def test_formats(tmp_path, suffix):
    smooth = np.full((16, 24, 3), [200, 90, 40], np.uint8)
    found = images.read_image(str(stored(tmp_path / f"a{suffix}", smooth)))
    assert found.dtype == np.uint8 and found.shape == (16, 24, 3)
    assert np.abs(found.astype(int) - smooth).max() < 8


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".jpg"])
def test_grey(tmp_path, suffix):
    grey = np.arange(64).reshape(8, 8).astype("uint8")
    found = images.read_image(stored(tmp_path / f"a{suffix}", grey))
    assert found.shape == (8, 8, 3)
    assert np.abs(found.astype(int) - grey[..., None]).max() < 3


def test_16_bits(tmp_path):
    grey = np.linspace(0, 65535, 256).astype("uint16").reshape(16, 16)
    found = images.read_image(stored(tmp_path / "a.png", grey))
    np.testing.assert_array_equal(found[..., 0], np.arange(256).reshape(16, 16))
    assert found.shape == (16, 16, 3)


def test_alpha_is_dropped(tmp_path):
    rgba = np.dstack([colourful(), np.zeros((6, 9), np.uint8)])
    found = images.read_image(stored(tmp_path / "a.png", rgba))
    np.testing.assert_array_equal(found, colourful())


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK", "YCbCr", "F", "I"])
def test_other_modes(tmp_path, mode):
    source = Image.fromarray(np.full((5, 7, 3), 255, np.uint8)).convert(mode)
    if mode == "I":
        source = source.point(lambda value: value * 257)
    # Pillow 12, which Apache Beam asks for, reads YCbCr only where it is packed.
    source.save(tmp_path / "a.tif", compression="tiff_lzw")
    found = images.read_image(tmp_path / "a.tif")
    assert found.shape == (5, 7, 3) and (found == 255).all()


def test_one_pixel(tmp_path):
    path = stored(tmp_path / "a.png", np.full((1, 1, 3), 7, np.uint8))
    np.testing.assert_array_equal(images.read_image(path), [[[7, 7, 7]]])


def test_a_large_photograph_is_read_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    path = stored(tmp_path / "a.png", colourful())  # 54 pixels.
    np.testing.assert_array_equal(images.read_image(path), colourful())


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = stored(tmp_path / "a.png", colourful())
    with pytest.raises(InputError, match="54 pixels"):
        images.read_image(path)


def test_an_image_of_no_number_is_named_once(tmp_path):
    path = stored(tmp_path / "a.tif", np.full((3, 3), np.nan, "float32"))
    with pytest.raises(InputError) as told:
        images.read_image(path)
    assert str(told.value) == f"{path}: the image holds values that are not finite"


def truncated_jpeg(path):
    path.write_bytes(encoded("JPEG")[:-200])


def encoded(kind, side=40):
    buffer = io.BytesIO()
    Image.fromarray(colourful(side, side)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "no such file"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_text("not a picture"), "not an image"),
        (truncated_jpeg, "damaged image .*truncated"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, write, message):
    path = tmp_path / "a.jpg"
    write(path)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: {message}") as told:
        images.read_image(path)
    assert "\n" not in str(told.value)


KINDS = ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "PPM", "GIF"]
KINDS += ["AVIF"] if features.check("avif") else []


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_raise_nothing_else(tmp_path, kind):
    rng, whole = np.random.default_rng(0), encoded(kind, side=12)
    path = tmp_path / "a.img"
    for trial in range(60):
        data = bytearray(whole)
        if trial % 2:
            data = data[: rng.integers(1, len(data))]
        else:
            for place in rng.integers(0, len(data), 4):
                data[place] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            found = images.read_image(path)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
        else:
            assert found.dtype == np.uint8 and found.shape[2] == 3


@pytest.mark.parametrize(
    "array, expected",
    [
        (np.uint8([[7]]), [7, 7, 7]),
        (np.uint8([[[7]]]), [7, 7, 7]),
        (np.uint8([[[1, 2, 3]]]), [1, 2, 3]),
        (np.uint8([[[1, 2, 3, 99]]]), [1, 2, 3]),
        (np.uint16([[[0, 257, 65535]]]), [0, 1, 255]),
        (np.uint16([[128 * 257 + 128]]), [128, 128, 128]),
        (np.int32([[65535]]), [255, 255, 255]),
        (np.float32([[[1.4, 1.6, 300]]]), [1, 2, 255]),
        (np.float64([[-4.0]]), [0, 0, 0]),
    ],
)
def test_as_rgb(array, expected):
    found = images.as_rgb(array)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [[expected]])


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros(5, np.uint8), r"Received shape: \(5,\)"),
        (np.zeros((5, 5, 2), np.uint8), r"Received shape: \(5, 5, 2\)"),
        (np.zeros((1, 5, 5, 3), np.uint8), r"Received shape: \(1, 5, 5, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), r"Received shape: \(0, 5, 3\)"),
        (np.zeros((5, 5), bool), "Received: bool"),
        (np.zeros((5, 5), np.int64), "Received: int64"),
        (np.full((5, 5), np.nan), "not finite"),
    ],
)
def test_as_rgb_errors(array, message):
    with pytest.raises(InputError, match=f"^photo: .*{message}"):
        images.as_rgb(array, "photo")


def test_list_images(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", "c.tiff", "d"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "e.png").touch()
    (tmp_path / "folder.png").mkdir()
    found = [path.name for path in images.list_images(str(tmp_path))]
    assert found == ["a.png", "b.JPG", "c.tiff"]


def test_list_images_errors(tmp_path):
    with pytest.raises(InputError, match="none: no such folder"):
        images.list_images(tmp_path / "none")
    with pytest.raises(InputError, match="no images in this folder .*jpg"):
        images.list_images(tmp_path)
