"""Puts into the built demo what is not in the repository, once the site is built.

    python docs/demo/vendor.py site/demo

ONNX Runtime for browsers from npm (`npm` must be there), the network, its layout
and the number of its passes.
"""

import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import rcn_keras

PACKAGE = "onnxruntime-web@1.30.0"
FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
PRESET = "rcn6_mtfl"


def vendor(folder):
    """Fills `FOLDER/vendor`.

    Raises:
        OSError: without `npm`.
        subprocess.CalledProcessError: if npm cannot fetch the package.
    """
    folder = pathlib.Path(folder) / "vendor"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        pack = ["npm", "pack", "--silent", PACKAGE]
        subprocess.run(pack, cwd=temporary, check=True, stdout=subprocess.DEVNULL)
        (archive,) = pathlib.Path(temporary).glob("*.tgz")
        with tarfile.open(archive) as members:
            for name in FILES:
                file = members.extractfile(f"package/dist/{name}")
                (folder / name).write_bytes(file.read())
    rcn_keras.export_model(PRESET, folder, "onnx", force=True)
    predictor = rcn_keras.Predictor(PRESET)
    preset = {
        "layout": predictor.layout.to_dict(),
        "refinements": predictor.refinements,
    }
    (folder / "preset.json").write_text(json.dumps(preset))


if __name__ == "__main__":
    vendor(sys.argv[1])
