"""Photographs as RGB bytes: of files, their bytes, Pillow images and arrays."""

from __future__ import annotations

import io
import os
import pathlib
import stat
import warnings
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras._types import Echo, PathLike
from rcn_keras.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    Picture = str | os.PathLike | bytes | np.ndarray | Image.Image

# Pillow knows these by name but decodes none of them by itself.
_UNREADABLE = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
_WHITES = 255, 1023, 4095, 16383, 65535  # of 8, 10, 12, 14 and 16 bits
_OVERSHOOT = 2  # sharpening and interpolation leave floats up to so many times white
_UNDERSHOOT = 0.5


def read_image(path: PathLike) -> np.ndarray:
    """Reads a photograph; the EXIF orientation is honoured.

    Args:
        path: str or path of an image file.

    Returns:
        `(H, W, 3)` uint8, RGB.

    Raises:
        InputError: if the file is missing, empty, damaged, cut short or no image.
    """
    return decode_image(file_bytes(path), path)


def file_bytes(path: PathLike) -> bytes:
    """The bytes of an image file, or of what is piped into `/dev/stdin`.

    Raises:
        InputError: if the file is missing, cannot be read, or is another kind of file:
            reading a pipe or a device might never end.
    """
    path = pathlib.Path(path)
    try:
        if not (path.is_file() or _is_standard_stream(path)):
            reason = "not a regular file" if path.exists() else "no such file"
            reason = "a folder, not an image" if path.is_dir() else reason
            raise InputError(f"{path}: {reason}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def decode_image(data: bytes, name: object = "image") -> np.ndarray:
    """A photograph from the bytes of its file; see `read_image`.

    Args:
        data: bytes.
        name: what to call it in an error.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise InputError(f"{name}: the file is empty")
    try:
        with warnings.catch_warnings():
            # Of large photographs and odd tags; what cannot be read raises.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(io.BytesIO(data)) as opened:
                return _pillow_rgb(opened, name)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{name}: not an image that can be read") from None
    except Exception as error:  # The decoders raise whatever they meet.
        raise InputError(f"{name}: damaged image ({error})") from None


def as_rgb(picture: Picture, name: str = "image") -> np.ndarray:
    """Any usual picture as `(H, W, 3)` uint8 RGB.

    What stands for white in an array:

    - bool: true; uint8: 255.
    - other whole numbers: the first of 255, 1023, 4095, 16383 and 65535 that no value
      exceeds: 8, 10, 12, 14 or 16 bits, in any type and byte order. A warning says
      which, unless it is 16 bits.
    - floats: 1 where no value exceeds 1, otherwise 255. Values up to 2 and 510 are
      overshoot and are clipped, with a warning; above that as whole numbers.

    Args:
        picture: str or path of an image file, its bytes, a Pillow image (converted as
            the file would be: palette, EXIF orientation, alpha, CMYK, 16 bits), or an
            array: `(H, W)`, `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` RGBA
            (alpha is dropped).
        name: what to call it in an error.

    Returns:
        `(H, W, 3)` uint8.

    Raises:
        InputError: for anything else, and for values that are negative or not finite.
    """
    if isinstance(picture, (str, os.PathLike)):
        return read_image(picture)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return decode_image(bytes(picture), name)
    if _is_pillow(picture):
        return _pillow_rgb(picture, name)
    return _array_rgb(_as_array(picture, name), name)


def is_image_name(path: PathLike) -> bool:
    """Whether a file is a photograph by its name: a suffix that the decoder reads, and
    not hidden, as the `._photo.jpg` of archives from a Mac are."""
    path = pathlib.PurePath(path)
    return path.suffix.lower() in suffixes() and not path.name.startswith(".")


def is_regular(path: PathLike) -> bool:
    """Whether a file is one of those whose reading ends: no pipe, socket or device."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def suffixes() -> set[str]:
    """The set of suffixes, in small letters, that the decoder reads."""
    from PIL import Image

    known = Image.registered_extensions().items()
    return {
        suffix
        for suffix, kind in known
        if kind in Image.OPEN and kind not in _UNREADABLE
    }


def list_images(
    folder: PathLike, report: Echo = lambda line: None
) -> list[pathlib.Path]:
    """The image files in a folder, sorted by name (not in its subfolders).

    Regular files with a name as `is_image_name` wants it.

    Args:
        folder: path.
        report: function that gets a line on how many other files there are, if any.

    Raises:
        InputError: if the folder is missing, cannot be listed, or holds no image.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    try:
        entries = sorted(path for path in folder.iterdir() if not path.is_dir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from None
    images = [path for path in entries if is_image_name(path) and is_regular(path)]
    if not images:
        raise InputError(
            f"{folder}: no images in this folder (looked for .jpg, .png and the other "
            f"{len(suffixes()) - 2} suffixes that Pillow reads)"
        )
    if others := len(entries) - len(images):
        report(left_out(folder, others))
    return images


def left_out(place: object, count: int) -> str:
    """The line on files of a folder or pattern that are no photographs."""
    return (
        f"{place}: {count} {'file' if count == 1 else 'files'} left out: hidden, not "
        "regular, or of a suffix that is not an image's"
    )


def _is_standard_stream(path):
    return os.path.normpath(path).startswith(("/dev/stdin", "/dev/fd/"))


def _is_pillow(picture):
    from PIL import Image

    return isinstance(picture, Image.Image)


def _pillow_rgb(image, name):
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            image = ImageOps.exif_transpose(image)
            deep = image.mode in ("I", "F") or image.mode.startswith("I;16")
            array = np.asarray(image if deep else image.convert("RGB"))
    except Exception as error:  # A closed file, a mode without a conversion.
        raise InputError(f"{name}: damaged image ({error})") from None
    return _array_rgb(array, name)


def _as_array(picture, name):
    try:
        array = np.asarray(picture)
    except Exception:  # Whatever the object's own conversion raises.
        array = np.empty((), object)
    if array.dtype.kind not in "buif":
        kind = type(picture).__name__
        what = kind if array.dtype.kind == "O" else f"{kind} of {array.dtype}"
        hint = "; was a file not found?" if picture is None else ""
        raise InputError(
            f"{name}: an image must be a path, the bytes of an image file, a Pillow "
            f"image, or an array of numbers. Received: {what}{hint}"
        )
    return array


def _array_rgb(array, name):
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise InputError(
            f"{name}: an image must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
            f"Received shape: {array.shape}"
        )
    array = array[:, :, :3]
    if array.dtype != np.uint8:
        array = _as_bytes(array, name)
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def _as_bytes(array, name):
    """Values of any type as uint8, by the rule of `as_rgb`."""
    if not np.isfinite(array).all():
        raise InputError(f"{name}: the image holds values that are not finite")
    lowest, highest = float(array.min()), float(array.max())
    white, guessed = _white(array.dtype, highest)
    if white is None or lowest < -_UNDERSHOOT * white:
        raise InputError(
            f"{name}: an image must hold 0...1, 0...255 or up to 16 bits. "
            f"Received: {array.dtype} from {lowest:g} to {highest:g}"
        )
    if guessed:
        warnings.warn(
            f"{name}: values of {array.dtype} up to {highest:g} are read as "
            f"0...{white}; give uint8 to be sure",
            stacklevel=2,
        )
    scaled = np.clip(array.astype("float64") * (255 / white), 0, 255)
    return np.rint(scaled).astype("uint8")


def _white(dtype, highest):
    """The value of white, `None` for values beyond any, and whether it is a guess."""
    if dtype.kind == "b":
        return 1, False
    if dtype.kind == "f" and highest <= 1:
        return 1, False
    if dtype.kind == "f" and highest <= _OVERSHOOT:
        return 1, True
    if dtype.kind == "f" and highest <= _OVERSHOOT * 255:
        return 255, highest > 255
    white = next((white for white in _WHITES if highest <= white), None)
    return white, white != 65535
