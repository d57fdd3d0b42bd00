"""Table 2 over several trainings of each row: means, and which differences are real.

    python benchmarks/table2_means.py

Of the rows in results/table2.csv and results/table2_seeds.csv, which differ in nothing
but the seed. Errors in percent of the eye distance, paper grid, boxes from the true
keypoints. The second file's rows of seed 1, and so on to 4:

    rcn-keras reproduce table2 --data MTFL --afw 300W --out runs --seed 1 \\
        --results results/table2_seeds.csv
"""

import collections

import common
import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.reproduction.results_file import read_rows

SETS = ("validation", "aflw", "afw")
# What the paper claims of the rows: the first of two networks has the lower error.
PAIRS = [
    *((f"rcn{n}", f"sumnet{n}") for n in (4, 5, 6)),
    *((f"rcn{n}_occlusion", f"sumnet{n}_occlusion") for n in (5, 6)),
    *((f"{kind}{n + 1}", f"{kind}{n}") for kind in ("sumnet", "rcn") for n in (4, 5)),
    ("sumnet6_occlusion", "sumnet5_occlusion"),
    ("rcn6_occlusion", "rcn5_occlusion"),
    ("rcn6", "rcn7"),
    ("rcn6_occlusion", "rcn7_occlusion"),
    *((f"sumnet{n}_occlusion", f"sumnet{n}") for n in (5, 6)),
    *((f"rcn{n}_occlusion", f"rcn{n}") for n in (5, 6, 7)),
    ("rcn6_occlusion", "rcn6_occlusion_skip"),
]
T_95 = 2.306  # Student's, for the 8 degrees of freedom of two times five trainings
TRAININGS = 5


def main():
    parser = common.parser(__doc__, "python benchmarks/table2_means.py", data=False)
    options = parser.parse_args()
    errors = errors_by_recipe(options.results)
    rows = [mean_row(name, *errors[name]) for name in errors]
    print(common.markdown(rows))
    common.write_rows(options.results / "table2_means.csv", rows)
    rows = [difference_row(part, *pair, errors) for part in SETS[1:] for pair in PAIRS]
    print(common.markdown(rows))
    common.write_rows(options.results / "table2_differences.csv", rows)


def errors_by_recipe(results):
    """Of each row of the table its errors, `{set: [of each training]}`, and what is the
    same for all of its trainings: parameters, and the paper's errors."""
    found = collections.defaultdict(dict)
    for file in ("table2.csv", "table2_seeds.csv"):
        for row in read_rows(results / file):
            found[row["recipe"]][row["seed"]] = row
    errors = {}
    for recipe, by_seed in found.items():
        if len(by_seed) != TRAININGS:
            raise InputError(
                f"{results}: of {recipe} seeds {', '.join(by_seed)}; expected "
                f"{TRAININGS} trainings"
            )
        rows = by_seed.values()
        constant = {
            name: float(by_seed["0"][name])
            for name in ("parameters", "aflw_paper", "afw_paper")
        }
        errors[recipe] = (
            {part: [float(row[f"{part}_paper_grid"]) for row in rows] for part in SETS},
            constant,
        )
    return errors


def mean_row(recipe, errors, constant):
    row = {"recipe": recipe, "trainings": TRAININGS}
    for part in SETS:
        row[part] = round(np.mean(errors[part]), 4)
        row[f"{part}_deviation"] = round(np.std(errors[part], ddof=1), 4)
    return row | constant | {"parameters": int(constant["parameters"])}


def difference_row(part, better, worse, errors):
    first, second = (errors[f"table2_{name}"][0][part] for name in (better, worse))
    difference = np.mean(first) - np.mean(second)
    variance = np.var(first, ddof=1) + np.var(second, ddof=1)
    half = T_95 * np.sqrt(variance / TRAININGS)
    papers = [errors[f"table2_{name}"][1][f"{part}_paper"] for name in (better, worse)]
    return {
        "set": part,
        "better": better,
        "worse": worse,
        "difference": round(difference, 4),
        "ci95_low": round(difference - half, 4),
        "ci95_high": round(difference + half, 4),
        "paper": round(papers[0] - papers[1], 2),
    }


if __name__ == "__main__":
    common.run(main)
