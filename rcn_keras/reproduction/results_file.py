"""Rows of a table's results file: found by what identifies them, replaced, added."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rcn_keras.errors import InputError
from rcn_keras.files import read_csv, write_csv
from rcn_keras.provenance import record

if TYPE_CHECKING:
    from rcn_keras.training.recipe import Recipe


KEY = ("recipe", "epochs", "seed", "batch_size", "precision")


def row_key(name: str, *recipes: Recipe) -> dict[str, str]:
    """The columns that identify a row, as the file has them: `"58+60"` of two recipes
    that differ."""
    key = {"recipe": name}
    for field in KEY[1:]:
        values = dict.fromkeys(str(getattr(recipe, field)) for recipe in recipes)
        key[field] = "+".join(values)
    return key


def has_row(
    results: pathlib.Path,
    key: dict[str, str],
    columns: Sequence[str] = (),
    faces: Mapping[str, int] | None = None,
) -> bool:
    """Whether a results file has a row with this key that fills these columns.

    Args:
        results: path of a CSV file.
        key: dict, of `row_key`.
        columns: names of columns.
        faces: `None`, or dict, columns to the number of faces that stands there if the
            row is of the same data.

    Raises:
        InputError: if the file is not a table's, or such a row is of other faces.
    """
    for row in read_rows(results):
        if not _is_of(row, key):
            continue
        for column, count in (faces or {}).items():
            if row.get(column) and row[column] != str(count):
                raise InputError(
                    f"{results}: {key['recipe']} has {row[column]} {column}; here are "
                    f"{count}. Give the data it was measured on, or another --results"
                )
        if all(row.get(column) for column in columns):
            return True
    return False


def _is_of(row, key):
    return all(row.get(column, "") == value for column, value in key.items())


def read_rows(results: pathlib.Path) -> list[dict[str, Any]]:
    """The rows of a results file as dicts, none if there is no file.

    Raises:
        InputError: if it is not a table's.
    """
    return read_csv(results, KEY, "a table's results") if results.exists() else []


def add_row(results: pathlib.Path, row: dict[str, Any]) -> None:
    """Puts a row, and where its numbers come from, into a results file; one with the
    same key is replaced."""
    key = {column: row.get(column, "") for column in (*KEY, "changes")}
    rows = [each for each in read_rows(results) if not _is_of(each, key)]
    write_csv(results, [*rows, row | record()])
