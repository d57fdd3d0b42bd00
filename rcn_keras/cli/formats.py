"""The forms in which found faces are written: one class each, of one protocol.

`add(record, size, faces)` takes what the faces belong to (a photograph's name, a
video's frame), the picture's `(width, height)`, and what `FacePrediction.as_dict`
gives; `close()` ends the file.
"""

from __future__ import annotations

import csv
import io
import json
import pathlib
from typing import TYPE_CHECKING, Any

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout


BOX = ("x0", "y0", "x1", "y1")


class LineFile:
    """A file, or standard output, that holds whole lines whatever happens.

    Args:
        path: path, or `None` for standard output.
    """

    def __init__(self, path: PathLike | None):
        self.path = path
        self._file = None
        if path is not None:
            self._file = pathlib.Path(path).open("wb", buffering=0)  # noqa: SIM115

    def write(self, text: str) -> None:
        """Writes lines.

        Raises:
            InputError: if they cannot be written; the file ends with the last whole
                line.
        """
        if self._file is None:
            print(text, end="", flush=True)
            return
        start, data = self._file.tell(), memoryview(text.encode())
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._file.truncate(start)
            raise InputError(
                f"{self.path}: writing failed ({error.strerror}); the lines before are "
                "complete"
            ) from None
        except KeyboardInterrupt:
            self._file.truncate(start)
            raise

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class JsonLines:
    """A JSON object a picture: `{..., "faces": [...]}`."""

    def __init__(self, path: PathLike | None, layout: KeypointLayout | None = None):
        self._lines = LineFile(path)

    def add(
        self, record: dict[str, Any], size: tuple[int, ...], faces: list[dict[str, Any]]
    ) -> None:
        self._lines.write(json.dumps(record | {"faces": faces}) + "\n")

    def close(self) -> None:
        self._lines.close()


class Csv:
    """A row a face, as `rcn-keras train --data` reads it: the record, number or id of
    the face, score, face score, box, and x, y and confidence of each keypoint."""

    def __init__(self, path: PathLike | None, layout: KeypointLayout | None = None):
        self._lines, self._names = LineFile(path), layout and layout.names
        self._header = False

    def add(
        self, record: dict[str, Any], size: tuple[int, ...], faces: list[dict[str, Any]]
    ) -> None:
        if self._names is None and faces:
            self._names = keypoint_names(len(faces[0]["keypoints"]))
        if self._names is not None and not self._header:
            parts = ("x", "y", "confidence")
            columns = [f"{name}_{part}" for name in self._names for part in parts]
            self._row([*record, "face", "score", "face_score", *BOX, *columns])
            self._header = True
        for number, face in enumerate(faces):
            points = zip(face["keypoints"], face["confidence"], strict=True)
            cells = [cell for (x, y), sure in points for cell in (x, y, sure)]
            scores = face.get("id", number), face["score"], face["face_score"]
            self._row([*record.values(), *scores, *face["box"], *cells])

    def _row(self, cells):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        self._lines.write(text.getvalue())

    def close(self) -> None:
        self._lines.close()


class Coco:
    """COCO's results: a JSON list of one object a face, written at the end.

    The `image_id` is the number that the photograph's name is, as COCO's are, or else
    its place in the list of photographs, from 1; `file_name` is its path. Visibility
    is 2. Coordinates stay continuous, as this package's reader takes them.
    """

    def __init__(self, path: PathLike | None, layout: KeypointLayout | None = None):
        self._lines, self._results, self._count = LineFile(path), [], 0

    def add(
        self, record: dict[str, Any], size: tuple[int, ...], faces: list[dict[str, Any]]
    ) -> None:
        self._count += 1
        stem = pathlib.PurePath(record["image"]).stem
        number = int(stem) if stem.isascii() and stem.isdigit() else self._count
        for face in faces:
            x0, y0, x1, y1 = face["box"]
            self._results.append(
                {
                    "image_id": number,
                    "file_name": record["image"],
                    "category_id": 1,
                    "bbox": [x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)],
                    "keypoints": [v for x, y in face["keypoints"] for v in (x, y, 2)],
                    "score": face["score"],
                    "face_score": face["face_score"],
                }
            )

    def close(self) -> None:
        self._lines.write(json.dumps(self._results) + "\n")
        self._lines.close()


class Pts:
    """A `.pts` file of 300-W a face, in a folder: 1-based pixel centres."""

    def __init__(self, path: PathLike | None, layout: KeypointLayout | None = None):
        from rcn_keras.files import check_writable

        if path is None:
            raise InputError("--format pts needs a folder for its files: --to FOLDER")
        check_writable(path)
        self._folder, self._taken = pathlib.Path(path), set()

    def add(
        self, record: dict[str, Any], size: tuple[int, ...], faces: list[dict[str, Any]]
    ) -> None:
        from rcn_keras.cli.output import free_name
        from rcn_keras.files import replaced

        for face in faces:
            name = free_name(pathlib.PurePath(record["image"]).stem, self._taken)
            points = [f"{x + 0.5:.3f} {y + 0.5:.3f}\n" for x, y in face["keypoints"]]
            text = f"version: 1\nn_points: {len(points)}\n{{\n{''.join(points)}}}\n"
            with replaced(self._folder / f"{name}.pts") as temporary:
                temporary.write_text(text, encoding="utf-8")

    def close(self) -> None:
        pass


FORMATS = {"jsonl": JsonLines, "csv": Csv, "coco": Coco, "pts": Pts}


def keypoint_names(count: int) -> tuple[str, ...]:
    """The names of so many keypoints of a face, or numbers."""
    from rcn_keras.layout import FACES

    return FACES[count].names if count in FACES else tuple(map(str, range(count)))
