"""`benchmarks/table2_means.py`: means, and intervals of differences."""

import csv
import math
import pathlib
import sys

import numpy as np
import pytest
import table2_means

RESULTS = pathlib.Path("results")


def test_the_interval_is_students():
    # The density of t with 8 degrees of freedom, integrated.
    degrees = 2 * (table2_means.TRAININGS - 1)
    t = np.linspace(-table2_means.T_95, table2_means.T_95, 100_001)
    scale = math.gamma((degrees + 1) / 2) / math.gamma(degrees / 2)
    density = scale / math.sqrt(degrees * math.pi)
    density = density * (1 + t**2 / degrees) ** (-(degrees + 1) / 2)
    assert density.sum() * (t[1] - t[0]) == pytest.approx(0.95, abs=1e-4)


def test_rows_of_a_difference():
    first, second = [5.0, 5.2, 5.1, 4.9, 5.3], [5.5, 5.6, 5.4, 5.7, 5.8]
    errors = {
        "table2_a": ({"aflw": first}, {"aflw_paper": 5.0}),
        "table2_b": ({"aflw": second}, {"aflw_paper": 5.25}),
    }
    row = table2_means.difference_row("aflw", "a", "b", errors)
    half = 2.306 * math.sqrt((0.025 + 0.025) / 5)
    assert row["difference"] == -0.5 and row["paper"] == -0.25
    assert row["ci95_low"] == pytest.approx(-0.5 - half, abs=1e-4)
    assert row["ci95_high"] == pytest.approx(-0.5 + half, abs=1e-4)


def test_means_are_those_of_the_trainings(tmp_path, monkeypatch):
    for file in ("table2.csv", "table2_seeds.csv"):
        (tmp_path / file).write_text((RESULTS / file).read_text())
    command = ["table2_means.py", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    table2_means.main()
    with (tmp_path / "table2_means.csv").open(newline="") as file:
        rows = {row["recipe"]: row for row in csv.DictReader(file)}
    assert len(rows) == 13
    errors = []
    for name in ("table2.csv", "table2_seeds.csv"):
        with (RESULTS / name).open(newline="") as file:
            errors += [
                float(row["afw_paper_grid"])
                for row in csv.DictReader(file)
                if row["recipe"] == "table2_rcn6"
            ]
    assert len(errors) == 5
    row = rows["table2_rcn6"]
    assert float(row["afw"]) == pytest.approx(np.mean(errors), abs=1e-4)
    assert float(row["afw_deviation"]) == pytest.approx(
        np.std(errors, ddof=1), abs=1e-4
    )
    with (tmp_path / "table2_differences.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2 * len(table2_means.PAIRS)


def test_a_missing_training_is_named(tmp_path):
    lines = (RESULTS / "table2_seeds.csv").read_text().splitlines(keepends=True)
    (tmp_path / "table2.csv").write_text((RESULTS / "table2.csv").read_text())
    (tmp_path / "table2_seeds.csv").write_text("".join(lines[:-1]))
    with pytest.raises(table2_means.InputError, match="seeds 0, 1, 2, 3;"):
        table2_means.errors_by_recipe(tmp_path)
