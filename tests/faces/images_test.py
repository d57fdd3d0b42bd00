import io
import os
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


SUFFIXES = ["jpg", "jpe", "jfif", "png", "bmp", "tif", "webp", "gif", "ppm", "jp2"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_formats(tmp_path, suffix):
    smooth = np.full((16, 24, 3), [200, 90, 40], np.uint8)
    found = images.read_image(str(stored(tmp_path / f"a.{suffix}", smooth)))
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
    with pytest.raises(InputError) as error:
        images.read_image(path)
    assert str(error.value) == f"{path}: the image holds values that are not finite"


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
        (lambda path: path.mkdir(), "a folder, not an image"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_text("not a picture"), "not an image"),
        (truncated_jpeg, "damaged image .*truncated"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, write, message):
    path = tmp_path / "a.jpg"
    write(path)
    with pytest.raises(
        InputError, match=f"^{re.escape(str(path))}: {message}"
    ) as error:
        images.read_image(path)
    assert "\n" not in str(error.value)


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


BIG, LITTLE = ">u2", "<u2"


@pytest.mark.parametrize(
    "array, expected",
    [
        (np.uint8([[7]]), [7, 7, 7]),
        (np.uint8([[[7]]]), [7, 7, 7]),
        (np.uint8([[[1, 2, 3]]]), [1, 2, 3]),
        (np.uint8([[[1, 2, 3, 99]]]), [1, 2, 3]),
        (np.uint16([[[0, 257, 65535]]]), [0, 1, 255]),
        (np.array([[[0, 257, 65535]]], BIG), [0, 1, 255]),
        (np.uint16([[128 * 257 + 128]]), [128, 128, 128]),
        (np.int32([[65535]]), [255, 255, 255]),
        (np.array([[[False, True, True]]]), [0, 255, 255]),
        (np.float32([[[1.4, 1.6, 255]]]), [1, 2, 255]),
        (np.array([[[1.4, 1.6, 255]]], ">f8"), [1, 2, 255]),
        (np.float64([[[-4.0, 7, 200]]]), [0, 7, 200]),
        (np.float16([[[0, 0.5, 1]]]), [0, 128, 255]),
        (np.float64([[[-0.01, 0.2, 1]]]), [0, 51, 255]),
        (np.float32([[[0, 0.2, 1, 255]]]), [0, 51, 255]),  # alpha says nothing
    ],
)
def test_as_rgb(array, expected):
    found = images.as_rgb(array)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [[expected]])


@pytest.mark.parametrize("dtype", ["i2", ">i4", "i8", "u4", BIG, LITTLE])
@pytest.mark.parametrize("white", [255, 1023, 4095, 16383])
def test_whole_numbers_of_fewer_bits_are_scaled_with_a_warning(dtype, white):
    expected = colourful()
    expected[0, 0] = 255
    array = np.rint(expected * (white / 255)).astype(dtype)
    with pytest.warns(UserWarning, match=rf"^photo: .* are read as 0\.\.\.{white};"):
        found = images.as_rgb(array, "photo")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "array, white, expected",
    [
        (np.float32([[[0, 0.2, 1.0001]]]), 1, [0, 51, 255]),
        (np.float64([[[0, 51, 300.0]]]), 255, [0, 51, 255]),
        (np.float32([[[0, 1023, 4095]]]), 4095, [0, 64, 255]),
    ],
)
def test_floats_beyond_white_are_clipped_with_a_warning(array, white, expected):
    with pytest.warns(UserWarning, match=rf"are read as 0\.\.\.{white};"):
        found = images.as_rgb(array)
    np.testing.assert_array_equal(found, [[expected]])


def test_a_12_bit_file_is_as_bright_as_its_array(tmp_path):
    array = np.linspace(0, 4095, 256).astype("uint16").reshape(16, 16)
    path = stored(tmp_path / "a.png", array)
    with pytest.warns(UserWarning, match="0...4095"):
        found = images.read_image(path)
    assert found.max() == 255 and found.min() == 0


class Unwilling:
    def __array__(self, *_, **__):
        raise RuntimeError("not here")


@pytest.mark.parametrize(
    "picture, message",
    [
        (np.zeros(5, np.uint8), r"Received shape: \(5,\)"),
        (np.zeros((5, 5, 2), np.uint8), r"Received shape: \(5, 5, 2\)"),
        (np.zeros((1, 5, 5, 3), np.uint8), r"Received shape: \(1, 5, 5, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), r"Received shape: \(0, 5, 3\)"),
        (np.full((5, 5), np.nan), "not finite"),
        (np.float32([[-1.0, 1.0]]), "Received: float32 from -1 to 1"),
        (np.int32([[-200, 250]]), "Received: int32 from -200 to 250"),
        (np.int32([[0, 70000]]), "Received: int32 from 0 to 70000"),
        (None, "Received: NoneType; was a file not found"),
        (7j, "Received: complex of complex128"),
        (object(), "Received: object"),
        ({"image": 1}, "Received: dict"),
        ([[1, 2], [3]], "Received: list"),
        (np.array([["a"]]), "Received: ndarray of <U1"),
        (Unwilling(), "Received: Unwilling"),
        (b"", "the file is empty"),
        (b"no picture", "not an image"),
    ],
)
def test_what_is_no_picture_is_named(picture, message):
    with pytest.raises(InputError, match=f"^photo: .*{message}"):
        images.as_rgb(picture, "photo")


def pillow_pictures():
    rgb = Image.fromarray(colourful())
    turned = rgb.copy()
    turned.getexif()[0x0112] = 6
    pictures = [rgb, turned, rgb.convert("RGBA"), rgb.convert("LA"), rgb.convert("1")]
    pictures += [rgb.quantize(16), rgb.convert("CMYK")]
    return [*pictures, Image.fromarray(np.uint16([[0, 30000, 65535]]))]


@pytest.mark.parametrize("picture", pillow_pictures(), ids=lambda image: image.mode)
def test_a_pillow_picture_is_as_its_file(tmp_path, picture):
    path = tmp_path / "a.tif"
    picture.save(path, compression="tiff_lzw", exif=picture.getexif())
    np.testing.assert_array_equal(images.as_rgb(picture), images.read_image(path))


def test_a_pillow_file_that_is_damaged_is_named():
    opened = Image.open(io.BytesIO(encoded("JPEG")[:-200]))
    with pytest.raises(InputError, match="^photo: damaged image"):
        images.as_rgb(opened, "photo")


def test_paths_and_bytes_are_pictures_too(tmp_path):
    path = stored(tmp_path / "a.png", colourful())
    data = path.read_bytes()
    for picture in (path, str(path), data, bytearray(data), memoryview(data)):
        np.testing.assert_array_equal(images.as_rgb(picture), colourful())


def test_an_array_given_is_left_as_it_is():
    array = np.float32([[[0, 0.2, 1]]])
    images.as_rgb(array)
    np.testing.assert_array_equal(array, np.float32([[[0, 0.2, 1]]]))


@pytest.mark.parametrize("suffix", [".jpe", ".jfif", ".avif", ".jp2", ".tga", ".ico"])
def test_every_suffix_of_the_decoder_names_an_image(suffix):
    assert images.is_image_name(f"a{suffix.upper()}")
    assert not images.is_image_name(f"._a{suffix}")


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.h5", "a.eps", "jpg", ".jpg"])
def test_other_names_are_no_image(name):
    assert not images.is_image_name(name)


def test_a_pipe_is_no_photograph(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match="a.png: not a regular file"):
        images.read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match="no images in this folder"):
        images.list_images(tmp_path)


def test_a_picture_piped_into_the_standard_input_is_read():
    reading, writing = os.pipe()
    data = encoded("PNG", side=8)
    os.write(writing, data)
    os.close(writing)
    found = images.read_image(f"/dev/fd/{reading}")
    os.close(reading)
    np.testing.assert_array_equal(found, images.decode_image(data))


def test_list_images(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", "c.tiff", "d"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "e.png").touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "._a.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    lines = []
    found = [path.name for path in images.list_images(str(tmp_path), lines.append)]
    assert found == ["a.png", "b.JPG", "c.tiff"]
    assert lines == [images.left_out(tmp_path, 4)]


def test_list_images_errors(tmp_path):
    with pytest.raises(InputError, match="none: no such folder"):
        images.list_images(tmp_path / "none")
    with pytest.raises(InputError, match="no images in this folder .*jpg"):
        images.list_images(tmp_path)
