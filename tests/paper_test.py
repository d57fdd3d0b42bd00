"""`docs/paper.md`: each part of the paper has a line, names exist, numbers are ours."""

import csv
import functools
import importlib
import pathlib
import re

import pytest

import rcn_keras
from rcn_keras.training.recipes import RECIPES

TEXT = pathlib.Path("docs/paper.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n([\s\S]*?)(?=^## |\Z)", TEXT, re.MULTILINE))
SPANS = sorted(set(re.findall(r"`([^`]+)`", TEXT)))
OTHER_NAMES = {
    "RCN_KERAS_DATA": "notebooks/04_difficulty.ipynb",
    "grid=True": "rcn_keras/evaluation/errors.py",
    "channels": "rcn_keras/models/rcn.py",
    "skip": "rcn_keras/models/rcn.py",
    "trunk_l2": "rcn_keras/models/rcn.py",
    "branch_l2": "rcn_keras/models/rcn.py",
    "upsampling": "rcn_keras/models/rcn.py",
    "kernel_scheme": "rcn_keras/models/rcn.py",
    "weight_per_pixel": "rcn_keras/models/sumnet.py",
    "optimizer": "rcn_keras/training/recipes.py",
}


def rows_of(section):
    """The cells of each row of its tables, the heads left out."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def results(name):
    with open(f"results/{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def rounded(number):
    return f"{float(number):.2f}" if number else ""


@pytest.mark.parametrize(
    "section, first_cells",
    [
        ("Sections", ["Abstract, 1", "2", "3.1", "3.2", "4", "5", "5.1", "5.2", "6"]),
        ("Footnotes", [*map(str, range(1, 13)), "†"]),
        ("Figures", [f"Figure {n}" for n in (*range(1, 8), "S1", "S2")]),
    ],
)
def test_every_part_of_the_paper_has_a_line(section, first_cells):
    assert [row[0] for row in rows_of(section)] == first_cells
    assert all(row[-1] for row in rows_of(section))


def test_every_equation_and_table_has_a_line():
    equations = [row[0].split(",")[0] for row in rows_of("Equations")]
    assert equations == ["Eq. 1", "Eq. 2", "Eq. 3", "Eq. 4"]
    tables = [name.split(":")[0] for name in SECTIONS if name.startswith("Table")]
    assert tables == [f"Table {number}" for number in range(1, 6)]
    assert len(rows_of("Table 5: architectures of several resolutions")) == 4


@pytest.mark.parametrize("span", SPANS)
def test_every_path_and_name_exists(span):
    if span.startswith("rcn_keras."):
        value = rcn_keras
        for part in span.split(".")[1:]:
            if not hasattr(value, part):
                importlib.import_module(f"{value.__name__}.{part}")
            value = getattr(value, part)
    elif span.startswith("rcn-keras "):
        command = span.split()[1].replace("-", "_")
        assert pathlib.Path(f"rcn_keras/cli/{command}.py").is_file()
    elif span in OTHER_NAMES:
        name = span.split("=")[0]
        assert re.search(rf"\b{name}\b", pathlib.Path(OTHER_NAMES[span]).read_text())
    else:
        presets = rcn_keras.list_presets()
        assert span in RECIPES or span in presets or pathlib.Path(span).exists()


def test_links_lead_somewhere():
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", TEXT)
    assert links and all(pathlib.Path("docs", link).exists() for link in links)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_tables_are_the_results(number):
    (section,) = (name for name in SECTIONS if name.startswith(f"Table {number}:"))
    columns = ("aflw_paper_grid", "aflw_paper", "afw_paper_grid", "afw_paper")
    expected = [
        [f"`{row['recipe']}`", row["epochs"], *(rounded(row[name]) for name in columns)]
        for row in results(f"table{number}")
    ]
    assert rows_of(section) == expected


def test_table_4_is_the_results():
    expected = [
        [
            row["network"],
            row["points"],
            row["normalizer"],
            rounded(row["nme_percent"]),
            rounded(row["paper_percent"]),
        ]
        for row in results("table4_joint")
        if (row["pictures"], row["protocol"]) == ("plain", "paper grid")
    ]
    assert rows_of("Table 4: 300-W") == expected


@functools.cache
def numbers(file):
    """Every number of a results file, to two digits behind the point."""
    text = pathlib.Path(file).read_text()
    return {rounded(number) for number in re.findall(r"\d+\.\d+|\d+", text)}


def test_every_other_number_stands_in_the_results_that_its_section_names():
    quoted = 0
    for section in SECTIONS.values():
        known = set().union(*map(numbers, re.findall(r"`(results/.+?\.csv)`", section)))
        plain = re.sub(r"`[^`]+`", "", section)
        written = set(re.findall(r"(?<![\d.])\d+\.\d\d(?!\d)", plain))
        assert written <= known, f"not in the results: {sorted(written - known)}"
        quoted += len(written)
    assert quoted > 50
