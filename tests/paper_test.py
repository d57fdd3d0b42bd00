"""`docs/paper.md`: each part of the paper has a line, names exist, numbers are ours."""

import csv
import functools
import importlib
import itertools
import pathlib
import re

import pytest
from result_tables import BLOCK, on_page_markdown

import rcn_keras
from rcn_keras.training.recipes import RECIPES

PAGE = pathlib.Path("docs/paper.md").read_text()
TEXT = BLOCK.sub("", PAGE)
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
    "masked": "rcn_keras/models/sumnet.py",
    "changes": "rcn_keras/reproduction/tables.py",
    "optimizer": "rcn_keras/training/recipes.py",
    "tcdcn": "benchmarks/training_choices.py",
    "tcdcn_unsearched": "benchmarks/training_choices.py",
    "tcdcn_rate_4e-3": "benchmarks/training_choices.py",
    "tcdcn_keypoints": "benchmarks/training_choices.py",
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


def test_tables_are_the_results():
    page, count = on_page_markdown(PAGE), 0
    endings = {
        "table1": ("_paper_grid", "_paper"),
        "table2_means": ("", "_deviation", "_paper"),
        "table3": ("_paper_grid", "_paper"),
    }
    for table, columns in endings.items():
        for row in results(table):
            cells = " | ".join(
                rounded(row[part + column])
                for part in ("aflw", "afw")
                for column in columns
            )
            assert re.search(
                rf"^\| {row['recipe']} \|.* {re.escape(cells)} \|$", page, re.M
            )
            count += 1
    assert count > 50


PLAIN = {"pictures": "plain", "protocol": "paper grid"}


@pytest.mark.parametrize(
    "table, where, columns",
    [
        (
            "table4_joint",
            PLAIN,
            "network points normalizer nme_percent paper_percent",
        ),
        (
            "table3_search",
            {},
            "choice epochs validation_paper_grid validation_subpixel",
        ),
        (
            "denoisers",
            PLAIN,
            "preset epochs part network factor nme_percent less_first less_first_ci95",
        ),
    ],
)
def test_each_row_stands_in_its_table(table, where, columns):
    page = on_page_markdown(PAGE)
    rows = [row for row in results(table) if where.items() <= row.items()]
    assert len(rows) >= 8
    for row in rows:
        cells = [row[column] for column in columns.split()]
        cells = [rounded(c) if re.fullmatch(r"-?\d+\.\d+", c) else c for c in cells]
        assert f"| {' | '.join(cells)} |" in page


def test_the_choices_that_validate_better_than_the_chosen_settings_are_named():
    errors = {
        row["choice"]: float(row["validation_paper_grid"])
        for row in results("table3_search")
    }
    better = {name for name, error in errors.items() if error < errors["tcdcn"]}
    [named] = re.findall(r"Better than `tcdcn` in .+?: (.+?)\.", TEXT, re.DOTALL)
    assert set(re.findall(r"`(.+?)`", named)) == better


def best(table, column="aflw_paper_grid"):
    """Of each recipe of a table the number of the row that validates best."""
    rows = sorted(
        results(table),
        key=lambda row: float(row["validation_paper_grid"]),
        reverse=True,
    )
    return {row["recipe"]: float(row[column]) for row in rows}


def masks(column="aflw_paper_grid"):
    """Mask to error, of each network with absent and with untrained branches."""
    errors = best("table1", column)
    groups = []
    for network, ending in itertools.product(("sumnet", "rcn"), ("", "_untrained")):
        group = {}
        for mask in map("".join, itertools.product("01", repeat=4)):
            # Where nothing is masked nothing is untrained.
            name = f"table1_{network}_{mask}" + (ending if "0" in mask else "")
            if name in errors:
                group[mask] = errors[name]
        assert len(group) == 9
        groups.append(group)
    return groups


def pairs(first, second):
    """Whether the first recipe of Table 3 is better than the second, on both sets."""
    columns = ("aflw_paper_grid", "afw_paper_grid")
    return [best("table3", c)[first] < best("table3", c)[second] for c in columns]


def differences(better, worse):
    """The rows of pairs of networks whose names match, on both sets."""
    rows = [
        row
        for row in results("table2_differences")
        if re.fullmatch(better, row["better"]) and re.fullmatch(worse, row["worse"])
    ]
    assert len(rows) >= 2
    return rows


def beyond_chance(better, worse):
    return [float(row["ci95_high"]) < 0 for row in differences(better, worse)]


def branches_help():
    names = [
        rf"{kind}\d{end}" for kind in ("sumnet", "rcn") for end in ("", "_occlusion")
    ]
    return all(sum((beyond_chance(name, name) for name in names), []))


def interpolation_is_worse():
    """Of a network: each of its trainings than each with tiled maps, on both sets."""
    worse = []
    for recipe in ("table2_rcn6_occlusion", "table2_sumnet6_occlusion"):
        tiled = [r for r in results("table2_seeds") if r["recipe"] == recipe]
        other = [
            row
            for row in results("table2_variants")
            if row["recipe"] == recipe and "bilinear" in row["changes"]
        ]
        assert len(tiled) == 4 and len(other) == 3
        worse.append(
            all(
                min(float(row[column]) for row in other)
                > max(float(row[column]) for row in tiled)
                for column in ("aflw_paper_grid", "afw_paper_grid")
            )
        )
    return any(worse)


def the_papers_jitter_is_best():
    [paper, *others] = [
        float(r["validation_jittered"]) for r in results("jitter_search")
    ]
    return len(others) == 11 and paper < min(others)


PREDICATES = {
    "RCN is better than SumNet": lambda: all(beyond_chance(r"rcn\w+", r"sumnet\w+")),
    "more branches help; RCN of six is best": branches_help,
    "rectangles in training help RCN much, SumNet a little": lambda: all(
        beyond_chance(r"\w+_occlusion", r"(rcn|sumnet)\d")
    ),
    "skip connections do not help": lambda: (
        not any(
            float(row["ci95_low"]) > 0 for row in differences(r"rcn6_\w+", r"\w+_skip")
        )
    ),
    "interpolation is worse than tiling in some cases": interpolation_is_worse,
    "jitter of 10 % and 40 degrees is best by validation": the_papers_jitter_is_best,
    "the finest branch alone does a poor job": lambda: all(
        max(errors, key=errors.get) == "0001" for errors in masks()
    ),
    "the coarsest alone does a reasonable job, the best of one branch": lambda: (
        min(["1000", "0100", "0010", "0001"], key=masks()[1].get) == "1000"
    ),
    "the coarsest and the finest together are second best": lambda: all(
        sorted(errors, key=errors.get)[1] == "1001" for errors in masks()
    ),
    "all four are best": lambda: all(
        min(errors, key=errors.get) == "1111" for errors in masks()
    ),
    "the test faces are harder than those of training": lambda: all(
        best("table2", "validation_paper_grid")[name] < error
        for name, error in best("table2", "aflw_paper_grid_shift_corrected").items()
    ),
    "SumNet is better than TCDCN, RCN than SumNet": lambda: all(
        pairs("table2_sumnet6_occlusion", "table3_tcdcn")
        + pairs("table2_rcn6_occlusion", "table2_sumnet6_occlusion")
    ),
    "a searched TCDCN is better than the published 8.0 on AFLW": lambda: (
        best("table3")["table3_tcdcn"] < 8.0
    ),
}


@pytest.mark.parametrize("claim", PREDICATES)
def test_a_claim_holds_where_its_rows_say_so(claim):
    (verdict,) = (row[2] for row in rows_of("Claims") if row[0] == claim)
    assert verdict == ("holds" if PREDICATES[claim]() else "does not hold")


def test_every_claim_has_a_verdict_and_its_rows():
    rows = rows_of("Claims")
    assert len(rows) > 20
    assert all(row[2] in ("holds", "does not hold", "open") for row in rows)
    assert all(row[1] and row[3] for row in rows)


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
    assert quoted > 5


def test_tcdcn_at_a_higher_rate_changes_no_claim():
    [faster] = results("table3_variants")
    usual, sumnet = (
        next(row for row in results("table3") if row["recipe"] == recipe)
        for recipe in ("table3_tcdcn", "table2_sumnet6_occlusion")
    )
    for column, most in (("aflw_paper_grid", 0.1), ("afw_paper_grid", 0.2)):
        errors = [float(row[column]) for row in (usual, faster, sumnet)]
        assert 0 < errors[0] - errors[1] < most
        assert (errors[0] > errors[2]) == (errors[1] > errors[2])
