"""How much of the package a use of it loads: modules of ours, and their lines.

    python benchmarks/import_closure.py

Each use runs in a process of its own; what is counted is what has been imported when it
is done. The training is one epoch of the recipe `demo` on drawn faces, by Python; the
prediction is given its box, so that no detector runs.
"""

import subprocess
import sys
import tempfile

import common

from rcn_keras.data.synthetic import write_mtfl

USES = {
    "import rcn_keras": "",
    "build_rcn": "rcn_keras.build_rcn()",
    "one prediction": """
rcn_keras.Predictor("rcn6_mtfl")("examples/astronaut.jpg", [[180, 65, 265, 172]])
""",
    "one training": """
from rcn_keras.data.sets import load_training
from rcn_keras.training.fit import train
from rcn_keras.training.recipes import get_recipe

recipe = get_recipe("demo", epochs=1, batch_size=8)
train(recipe, *load_training(f"{folder}/demo"), f"{folder}/run")
""",
    "one export": 'rcn_keras.export_model("rcn6_mtfl", folder, "onnx")',
}

COUNT = """
files = [
    module.__file__
    for name, module in list(sys.modules.items())
    if name.split(".")[0] == "rcn_keras"
]
lines = sum(len(open(file, encoding="utf-8").readlines()) for file in files)
print("counted", len(files), lines)
"""


def main():
    options = common.parser(__doc__, "python benchmarks/import_closure.py", data=False)
    options = options.parse_args()
    rows = [measured(name) for name in USES]
    common.write_rows(options.results / "import_closure.csv", rows)
    print(common.markdown(rows))


def measured(name):
    """The row of a use."""
    common.say(name)
    with tempfile.TemporaryDirectory() as folder:
        if "demo" in USES[name]:
            write_mtfl(f"{folder}/demo", training=20, testing=0)
        start = f"import sys\nimport rcn_keras\nfolder = {folder!r}\n"
        done = subprocess.run(
            [sys.executable, "-c", start + USES[name] + "\n" + COUNT],
            capture_output=True,
            text=True,
            check=True,
        )
    modules, lines = done.stdout.splitlines()[-1].split()[1:]
    return {"use": name, "modules": int(modules), "lines": int(lines)}


if __name__ == "__main__":
    common.run(main)
