"""Reading photographs, and arrays of any common kind, as RGB bytes."""

import io
import pathlib
import warnings

import numpy as np

from rcn_keras.errors import InputError

SUFFIXES = {
    ".jpg",
    ".jpeg",
    ".png",
    ".bmp",
    ".tif",
    ".tiff",
    ".webp",
    ".gif",
    ".ppm",
    ".pgm",
}


def read_image(path):
    """Reads a photograph; the EXIF orientation is honoured.

    Args:
        path: str or path of an image file.

    Returns:
        `(H, W, 3)` uint8, RGB.

    Raises:
        InputError: if the file is missing, empty, damaged, cut short or no image.
    """
    return decode_image(file_bytes(path), path)


def file_bytes(path):
    """What an image file holds.

    Raises:
        InputError: if the file is missing or cannot be read.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def decode_image(data, name="image"):
    """A photograph from the bytes of its file; see `read_image`.

    Args:
        data: bytes.
        name: what to call it in an error.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise InputError(f"{name}: the file is empty")
    try:
        with warnings.catch_warnings():
            # Of large photographs and odd tags; what cannot be read raises.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(io.BytesIO(data)) as opened:
                image = ImageOps.exif_transpose(opened)
                if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
                    return as_rgb(np.asarray(image), name)
                return np.asarray(image.convert("RGB"))
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{name}: not an image that can be read") from None
    except Exception as error:  # The decoders raise whatever they meet.
        raise InputError(f"{name}: damaged image ({error})") from None


def as_rgb(array, name="image"):
    """Any usual array as `(H, W, 3)` uint8 RGB.

    Args:
        array: `(H, W)`, `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` RGBA (alpha is
            dropped); uint8, uint16 (divided by 257), or float in 0...255.
        name: what to call it in an error.

    Returns:
        `(H, W, 3)` uint8.

    Raises:
        InputError: for any other shape or type.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise InputError(
            f"{name}: an image must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
            f"Received shape: {array.shape}"
        )
    if array.dtype == np.uint16 or array.dtype == np.int32:  # int32: Pillow's mode "I"
        array = np.rint(np.clip(array, 0, 65535) / 257.0)
    elif array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError(f"{name}: the image holds values that are not finite")
        if 0 < array.max() <= 1:
            raise InputError(
                f"{name}: a float image must hold 0...255; this one holds 0...1"
            )
        array = np.rint(np.clip(array, 0, 255))
    elif array.dtype != np.uint8:
        raise InputError(
            f"{name}: an image must be uint8, uint16 or float in 0...255. "
            f"Received: {array.dtype}"
        )
    array = array[:, :, :3].astype(np.uint8)
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def list_images(folder):
    """The image files in a folder, sorted by name (not in its subfolders).

    Raises:
        InputError: if the folder is missing or holds no image.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.is_dir()
    )
    if not found:
        raise InputError(
            f"{folder}: no images in this folder (looked for "
            f"{', '.join(sorted(SUFFIXES))})"
        )
    return found
