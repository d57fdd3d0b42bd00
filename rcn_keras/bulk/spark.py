"""Faces and keypoints of any number of photographs, on Apache Spark.

Example:
    >>> photographs = spark.read.format("binaryFile").load("photos/*.jpg")
    >>> found = rcn_keras.bulk.spark.locate(photographs, "saved_models/rcn6_mtfl")
    >>> found.write.parquet("faces.parquet")
"""

from __future__ import annotations

import functools
import operator
import os
import pathlib
import sys
import warnings
from typing import TYPE_CHECKING

from rcn_keras._types import DetectorChoice, PathLike
from rcn_keras.bulk.faces_graph import FacesGraph
from rcn_keras.errors import InputError
from rcn_keras.faces.detect import get_detector

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FACE = (
    "struct<box: array<double>, keypoints: array<array<double>>, "
    "confidence: array<double>, score: double, face_score: double>"
)
SCHEMA = f"path string, faces array<{FACE}>, error string"
TOGETHER = 64  # answers of one table that goes back to Spark, photographs that come
WRITERS = {"jsonl": "json", "parquet": "parquet"}


def locate(
    dataframe: DataFrame, saved_model: PathLike, detector: DetectorChoice = None
) -> DataFrame:
    """The faces of photographs.

    A worker's Python process loads one model; faces of several photographs go through
    it at once. Spark sends it `spark.sql.execution.arrow.maxRecordsPerBatch`
    photographs at a time: 10,000 unless it is set, which large ones do not fit.

    Args:
        dataframe: with the columns `path` and `content`, as
            `spark.read.format("binaryFile")` gives them.
        saved_model: str, the folder of an exported model (its highest version), or of a
            version, where every worker can read it.
        detector: as that of `Predictor`; a callable must be one that can be pickled.

    Returns:
        dataframe of a row a photograph: `path`, `faces`, an array of `box`,
        `keypoints`, `confidence`, `score` and `face_score` as `rcn-keras predict`
        prints them, and `error`, why it could not be used; one of the two is null.

    Raises:
        InputError: if there is no such model or detector.
    """
    get_detector(detector)  # Better none before the work than in it.
    answer = functools.partial(_answers, version_folder(saved_model), detector)
    # Not `mapInPandas`: nothing here needs pandas, and PySpark 4 warns of pandas 3.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        return dataframe.select("path", "content").mapInArrow(answer, SCHEMA)


def run(
    pattern: str,
    output: str,
    saved_model: PathLike,
    detector: DetectorChoice = None,
    master: str = "local[*]",
    form: str = "jsonl",
) -> dict[str, int]:
    """Answers every photograph that matches, in a folder of files.

    Args:
        pattern: str, of photographs, or a folder: what Spark loads.
        output: str, a folder that is not there yet.
        saved_model, detector: see `locate`.
        master: str, the address of a cluster, `spark://HOST:PORT`, or `local[N]`.
        form: `"jsonl"` or `"parquet"`.

    Returns:
        dict: how many `photographs`, `faces` and `failed` it holds.

    Raises:
        InputError: for an argument that cannot be used.
        ImportError: without PySpark.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
        from pyspark.sql import functions as f
    except ImportError as error:
        raise ImportError("Spark is missing: pip install '.[spark]'") from error
    # The workers' Python must have what this one has.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.sql.execution.arrow.maxRecordsPerBatch": TOGETHER,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master(master).appName("rcn-keras bulk")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        loaded = session.read.format("binaryFile").load(pattern)
        found = locate(loaded, saved_model, detector)
        getattr(found.write, WRITERS[form])(output)
        rows = getattr(session.read.schema(SCHEMA), WRITERS[form])(output)
        counts = rows.select(
            f.count("path"),
            f.coalesce(f.sum(f.size("faces")), f.lit(0)),
            f.count("error"),
        ).first()
    except PySparkException as error:
        raise InputError(f"Spark: {str(error).strip().splitlines()[0]}") from None
    finally:
        session.stop()
    return dict(zip(("photographs", "faces", "failed"), counts))


def version_folder(folder: PathLike) -> str:
    """The folder of a model's highest version, or the folder given if it is of one."""
    path = pathlib.Path(folder)
    if (path / "saved_model.pb").is_file():
        return str(path.absolute())
    folders = [file.parent for file in path.glob("*/saved_model.pb")]
    versions = [folder for folder in folders if folder.name.isdecimal()]
    if not versions:
        raise InputError(
            f"{folder}: no saved_model.pb in this folder or in one of a version below "
            "it: make one by `rcn-keras export`"
        )
    return str(max(versions, key=lambda version: int(version.name)).absolute())


def _answers(folder, detector, batches):
    """Arrow's batches of photographs to batches of answers, in a worker."""
    records = (
        {"image": row["path"], "content": row["content"], "boxes": None}
        for batch in batches
        for row in batch.to_pylist()
    )
    rows = []
    for answer in _finder(folder, detector).answers(records):
        row = {"path": answer["image"]}
        rows.append(row | {name: answer.get(name) for name in ("faces", "error")})
        if len(rows) == TOGETHER:
            yield _batch(rows)
            rows = []
    yield _batch(rows)


def _batch(rows):
    import pyarrow

    numbers = pyarrow.list_(pyarrow.float64())
    face = {
        "box": numbers,
        "keypoints": pyarrow.list_(numbers),
        "confidence": numbers,
        "score": pyarrow.float64(),
        "face_score": pyarrow.float64(),
    }
    faces = pyarrow.list_(pyarrow.struct(list(face.items())))
    columns = {"path": pyarrow.string(), "faces": faces, "error": pyarrow.string()}
    return pyarrow.RecordBatch.from_pylist(rows, pyarrow.schema(list(columns.items())))


@functools.cache
def _finder(folder, detector):
    """That of this process: Spark keeps its Python workers from task to task."""
    from rcn_keras.bulk.finder import BulkFinder

    return BulkFinder(FacesGraph(folder), detector, operator.itemgetter("content"))
