"""The photographs of a bulk run in portions, and the files of their answers."""

import concurrent.futures
import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from rcn_keras.bulk import storage
from rcn_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Shards:
    """A run's shards. The files of one are there whole or not at all.

    Attributes:
        folder: str, where the files are.
        photographs: int, how many there are in all.
        size: int, photographs in a shard; the last may hold fewer.
    """

    folder: str
    photographs: int
    size: int

    @property
    def count(self) -> int:
        return -(-self.photographs // self.size)

    def rows(self, number: int) -> range:
        """The numbers of a shard's photographs."""
        start = number * self.size
        return range(start, min(start + self.size, self.photographs))

    def is_finished(self, number: int) -> bool:
        return storage.exists(self._path("faces", number))

    def finished(self) -> set[int]:
        """The numbers of the shards that need no work, a set."""
        files = set(storage.find(f"{self.folder}/faces-*.jsonl"))
        return {n for n in range(self.count) if self._path("faces", n) in files}

    def write(self, number: int, answers: Iterable[dict[str, Any]]) -> None:
        """Writes the files of a shard; the faces last, as the mark that it is finished.

        Args:
            number: int, of the shard.
            answers: dicts with `image` and either `faces` or `error`.
        """
        lines = {"failed": [], "faces": []}
        for answer in sorted(answers, key=lambda answer: answer["image"]):
            kind = "failed" if "error" in answer else "faces"
            lines[kind].append(json.dumps(answer) + "\n")
        for kind in ("failed", "faces"):
            storage.write(self._path(kind, number), "".join(lines[kind]))

    def counts(self) -> dict[str, int]:
        """What the files hold: a dict of `photographs`, `faces` and `failed`.

        Raises:
            InputError: if a file does not answer what it should.
        """
        with concurrent.futures.ThreadPoolExecutor(16) as pool:  # It may be far away.
            counts = list(pool.map(self._counts, range(self.count)))
        answered, faces, failed = map(sum, zip(*counts))
        return {"photographs": answered, "faces": faces, "failed": failed}

    def _counts(self, number):
        path = self._path("faces", number)
        try:
            faces = [len(json.loads(line)["faces"]) for line in _lines(path)]
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}: damaged: remove the file and start again"
            ) from None
        failures = self._path("failed", number)
        failed = len(_lines(failures)) if storage.exists(failures) else 0
        answered, wanted = len(faces) + failed, len(self.rows(number))
        if answered != wanted:
            raise InputError(
                f"{path}: this shard answers {answered} photographs instead of "
                f"{wanted}: remove the file and start again"
            )
        return answered, sum(faces), failed

    def _path(self, kind, number):
        return f"{self.folder}/{kind}-{number:05d}-of-{self.count:05d}.jsonl"


def _lines(path):
    return storage.read(path).splitlines()
