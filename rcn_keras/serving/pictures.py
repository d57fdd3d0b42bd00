"""What of a photograph's file goes to an exported model, and in which portions."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rcn_keras.faces.images import decode_image

if TYPE_CHECKING:
    import numpy as np


# Of these TensorFlow's decoders make the very RGB of `decode_image`. An "MPO" is
# a camera's JPEG with further pictures, such as a depth map, behind the first.
FORMATS = {"JPEG", "MPO", "PNG"}
MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}
ORIENTATION = 0x0112


def wire_bytes(data: bytes, name: str = "image") -> tuple[bytes, np.ndarray]:
    """The bytes to send for a photograph, and the photograph.

    The graph decodes JPEG and PNG and knows nothing of EXIF. So a JPEG or PNG file that
    is whole and stored upright goes as it is; what else can be read, 16 bits of grey
    and CMYK among it, goes as a PNG of its pixels.

    Args:
        data: bytes of an image file.
        name: what to call it in an error.

    Returns:
        bytes of a JPEG or PNG file.
        `(H, W, 3)` uint8 RGB, as `faces.images.decode_image` gives it: boxes and
        keypoints are in its pixels.

    Raises:
        InputError: if `decode_image` cannot read it.
    """
    image = decode_image(data, name)
    return (data if _goes_as_it_is(data) else png_bytes(image)), image


def png_bytes(image: np.ndarray) -> bytes:
    """`(H, W, 3)` RGB or `(H, W)` grey bytes as those of a PNG file, packed quickly."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def decoded_bytes(data: bytes) -> int:
    """What the pixels of a JPEG or PNG file take in memory, by its header; 0 where it
    has none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(io.BytesIO(data)) as opened:
                return 3 * opened.width * opened.height
    except Exception:  # Whatever is wrong with it, the graph leaves it out.
        return 0


def request_slices(
    sizes: Sequence[int], most_rows: int, most_bytes: int
) -> Iterator[slice]:
    """Rows cut into requests, one after the other.

    Args:
        sizes: list of ints, the bytes of each row.
        most_rows: int, of one request.
        most_bytes: int, of one request; a larger row goes alone.

    Yields:
        `slice`, the rows of a request.
    """
    start, held = 0, 0
    for row, size in enumerate(sizes):
        if row > start and (row - start == most_rows or held + size > most_bytes):
            yield slice(start, row)
            start, held = row, 0
        held += size
    if sizes:
        yield slice(start, len(sizes))


def _goes_as_it_is(data):
    from PIL import Image

    with warnings.catch_warnings():
        # What Pillow warns of, `decode_image` has read all the same.
        warnings.filterwarnings("ignore", module="PIL")
        with Image.open(io.BytesIO(data)) as opened:
            if opened.format not in FORMATS or opened.mode not in MODES:
                return False
            if opened.getexif().get(ORIENTATION) in range(2, 9):
                return False
            return opened.format != "PNG" or _is_whole_png(data)


def _is_whole_png(data):
    """Whether all checksums are right up to the end: TensorFlow fails a whole batch for
    a damaged PNG, of which Pillow may make a picture."""
    place = 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4]):
            return False
        if data[place + 4 : place + 8] == b"IEND":
            return True
        place = end + 4
    return False
