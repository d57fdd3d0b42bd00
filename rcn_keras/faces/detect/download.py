"""YuNet's model file: where it is kept, and how it comes there."""

import hashlib
import http.client
import os
import pathlib
import urllib.error
import urllib.request

from rcn_keras._types import PathLike, Progress
from rcn_keras.errors import InputError

FILE = "face_detection_yunet_2026may.onnx"
URL = (
    "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/"
    f"models/face_detection_yunet/{FILE}"
)
SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
VARIABLE = "RCN_KERAS_YUNET"


def cached_file() -> pathlib.Path:
    """Where `rcn-keras download yunet` puts the file."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "rcn_keras" / FILE


def yunet_file() -> pathlib.Path | None:
    """The file at hand: that of `RCN_KERAS_YUNET`, or else the cached one, or `None`.

    Raises:
        InputError: if the variable names no file.
    """
    value = os.environ.get(VARIABLE)
    if not value:
        return path if (path := cached_file()).is_file() else None
    if not os.path.isfile(value):
        raise InputError(f"{VARIABLE} must name YuNet's model file. Received: {value}")
    return pathlib.Path(value)


def download(
    url: str, path: PathLike, sha256: str, progress: Progress | None = None
) -> None:
    """Fetches a file; what came of it before an interruption is not fetched again.

    Args:
        url: str, `http` or `https`.
        path: path of the file; its folder is made if it is missing. What has come so
            far lies beside it, under the same name and `.part`.
        sha256: str, of the whole file, in hexadecimal digits.
        progress: callable `(done, total)` in bytes, or `None`.

    Raises:
        InputError: if the server cannot be reached or refuses, if it ends before the
            file does, or if what came is not the file; one line.
        OSError: if the file cannot be written.
    """
    path = pathlib.Path(path)
    if not url.lower().startswith(("http://", "https://")):
        raise InputError(f"the URL must be http or https. Received: {url}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        _fetch(url, part, progress)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise InputError(f"{url}: refused ({error.code} {error.reason})") from None
        # All of it is there already, or more than that: the checksum decides.
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"{url}: cannot be fetched ({reason})") from None
    except TimeoutError:
        raise InputError(f"{url}: the server does not answer") from None
    received = hashlib.sha256(part.read_bytes()).hexdigest()
    if received != sha256:
        part.unlink()
        raise InputError(
            f"{url}: not the file that was wanted, of SHA-256 {sha256}. "
            f"Received: {received}"
        )
    os.replace(part, path)


def _fetch(url, part, progress):
    """Appends to `part` what it lacks."""
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "rcn-keras"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    with urllib.request.urlopen(request, timeout=30) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0  # A server that knows no ranges sends all of it.
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        with part.open("ab" if done else "wb") as file:
            while block := response.read(2**14):
                file.write(block)
                done += len(block)
                if progress and total:
                    progress(done, total)
    if total is not None and done < total:
        raise InputError(
            f"{url}: ended after {done} of {total} bytes; run the command again to "
            "fetch the rest"
        )
