"""Tables of the pages, made from `results/*.csv` when the site is built.

A fenced block `results` names the file and what of it is shown, as YAML:

- `where`: column to the values that are kept, a value or a list;
- `columns`: header to the column of the file; or, for a table across,
  `rows` (headers as before), `across` (a column) and `value` (a column);
- `digits`: int, decimals of the numbers (default: as the file has them); columns of
  whole numbers stay as they are.
"""

import csv
import pathlib
import re

import yaml

RESULTS = pathlib.Path(__file__).resolve().parents[2] / "results"
BLOCK = re.compile(r"```results\n(.*?)```", re.DOTALL)


def on_page_markdown(markdown, **_):
    """The page with its tables filled in; called by MkDocs."""
    return BLOCK.sub(lambda match: table(yaml.safe_load(match[1])), markdown)


def table(block):
    """A block as a table of Markdown.

    Args:
        block: dict, see above.

    Raises:
        KeyError: for a column that the file lacks.
        ValueError: if no row of the file is kept.
    """
    with (RESULTS / block["file"]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    for column, wanted in block.get("where", {}).items():
        wanted = [str(w) for w in (wanted if isinstance(wanted, list) else [wanted])]
        rows = [row for row in rows if row[column] in wanted]
        if isinstance(block["where"][column], list):
            rows.sort(key=lambda row: wanted.index(row[column]))
    if not rows:
        raise ValueError(f"{block['file']}: no row where {block['where']}")
    if "across" in block:
        header, lines = _across(rows, block)
    else:
        header = list(block["columns"])
        columns = [_cells(rows, name, block) for name in block["columns"].values()]
        lines = [list(line) for line in zip(*columns)]
    lines = [header, ["---"] * len(header), *lines]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{text}\n\n*From `results/{block['file']}`.*\n"


def _across(rows, block):
    keys = list(block["rows"].values())
    names = list(dict.fromkeys(row[block["across"]] for row in rows))
    cells = {}
    for row, text in zip(rows, _cells(rows, block["value"], block)):
        line = cells.setdefault(tuple(row[key] for key in keys), {})
        line[row[block["across"]]] = text
    lines = [[*key, *(line.get(n, "") for n in names)] for key, line in cells.items()]
    return [*block["rows"], *names], lines


def _cells(rows, column, block):
    """A column as text, with the block's decimals."""
    texts = [row[column] for row in rows]
    digits = block.get("digits")
    if digits is None or not any("." in text for text in texts):
        return texts
    return [_rounded(text, digits) for text in texts]


def _rounded(text, digits):
    try:
        return f"{float(text):.{digits}f}"
    except ValueError:
        return text
