import csv
import pathlib
import re

import pytest
import result_tables
import yaml

PAGES = pathlib.Path("docs").glob("**/*.md")
BLOCKS = [b for page in PAGES for b in result_tables.BLOCK.findall(page.read_text())]


def write(folder, monkeypatch):
    monkeypatch.setattr(result_tables, "RESULTS", folder)
    with (folder / "errors.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "set", "error"])
        writer.writerows([["a", "x", "1.234"], ["b", "x", "2"], ["a", "y", ""]])


def test_columns_are_shown_under_other_names_in_rounded_numbers(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch)
    columns = {"network": "model", "%": "error"}
    block = {"file": "errors.csv", "columns": columns, "digits": 1}
    lines = result_tables.table(block).splitlines()
    assert lines[0] == "| network | % |"
    assert lines[2:5] == ["| a | 1.2 |", "| b | 2.0 |", "| a |  |"]
    assert "`results/errors.csv`" in lines[-1]


def test_columns_of_whole_numbers_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(result_tables, "RESULTS", tmp_path)
    (tmp_path / "rows.csv").write_text("mask,epochs,error\n0001,60,7\n1000,12,6.5\n")
    columns = {name: name for name in ("mask", "epochs", "error")}
    block = {"file": "rows.csv", "columns": columns, "digits": 2}
    lines = result_tables.table(block).splitlines()
    assert lines[2:4] == ["| 0001 | 60 | 7.00 |", "| 1000 | 12 | 6.50 |"]


def test_the_values_of_a_column_go_across(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch)
    block = {"file": "errors.csv", "rows": {"faces": "set"}, "across": "model"}
    lines = result_tables.table(block | {"value": "error"}).splitlines()
    assert lines[0] == "| faces | a | b |"
    assert lines[2:4] == ["| x | 1.234 | 2 |", "| y |  |  |"]


def test_rows_are_chosen_in_the_order_of_the_list(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch)
    block = {"file": "errors.csv", "columns": {"m": "model"}}
    lines = result_tables.table(block | {"where": {"model": ["b", "a"], "set": "x"}})
    assert lines.splitlines()[2:4] == ["| b |", "| a |"]


def test_a_choice_without_any_row_is_an_error(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match="no row where"):
        result_tables.table({"file": "errors.csv", "where": {"set": "z"}})


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.splitlines()[0])
def test_the_tables_of_the_pages_can_be_made(block):
    assert re.match(r"\| .+ \|\n\| ---", result_tables.table(yaml.safe_load(block)))
