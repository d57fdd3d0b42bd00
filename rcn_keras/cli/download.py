"""`rcn-keras download`."""

import argparse
import hashlib

from rcn_keras.cli.output import progress, say

HELP = """Downloads a detector's model file into your cache, and checks it.

An interrupted download continues. Prints the path of the file; a file that is
there already is kept.
"""
EXAMPLE = "rcn-keras download yunet"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=["yunet"], help="the face detector's model file"
    )
    parser.add_argument(
        "--url", help="where to fetch it (default: OpenCV's model zoo on GitHub)"
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.faces.detect import download

    path = download.cached_file()
    if path.is_file():
        if hashlib.sha256(path.read_bytes()).hexdigest() == download.SHA256:
            print(path)
            return 0
        say(f"{path}: another file or damaged; it is replaced")
    download.download(
        options.url or download.URL,
        path,
        download.SHA256,
        lambda done, total: progress(done // 1024, total // 1024, f"kB of {path.name}"),
    )
    print(path)
    return 0
