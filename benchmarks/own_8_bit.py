"""What 8 bits cost a network of one's own keypoints, on photographs it has not seen.

    python benchmarks/own_8_bit.py --data webmorph --out runs --recipes own own_fine

Takes the presets that `own_keypoints.py` left in `--out` and exports them by the
commands that the guide names, once in float32 and once in 8 bits by the training
crops. The crops of the photographs that were held out, cut as `rcn-keras evaluate` cuts
them, go through each file. Errors are sub-pixel, in percent of the distance of the
pupils.
"""

import pathlib
import tempfile

import common
import exports
import numpy as np
import own_keypoints

import rcn_keras
from rcn_keras.data.batches import input_images
from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation.errors import normalized_errors, summary

KERAS = "Keras"
BATCH = 10


def main():
    options, tables = own_keypoints.finished_trainings(
        __doc__, "python benchmarks/own_8_bit.py --data webmorph --out runs"
    )
    training, images = tables.pop("training"), options.data / "images"
    rows = []
    for recipe in options.recipes:
        preset = options.out / f"mixed_{recipe}_preset"
        predictor = rcn_keras.Predictor(preset, runtime="keras")
        with tempfile.TemporaryDirectory() as folder:
            files = exported(preset, folder, training, images)
            sizes = {name: exports.kilobytes(path) for name, path in files.items()}
            runtimes = {name: exports.opened(name, files[name]) for name in files}
        runtimes = {KERAS: exports.keras_runtime(predictor)} | runtimes
        for place, table in sorted(tables.items()):
            crops = load_test_set(
                table,
                "all",
                layout=predictor.layout,
                input_size=predictor.model.input_size,
                images=images,
            )
            for measured in measurements(runtimes, crops):
                row = {"recipe": recipe, "set": place, "faces": len(crops)}
                row |= {"keypoints": predictor.layout.count} | measured
                rows.append(row | {"kB": sizes.get(measured["runtime"], "")})
    print(common.markdown(rows))
    common.write_rows(options.results / "own_8_bit.csv", rows)


def exported(preset, folder, training, images):
    """Runtime to the file that it runs."""
    data = ["--quantize", "--data", training, "--images", images]
    for file_format in ("onnx", "litert"):
        export = ["export", preset, folder, "--format", file_format]
        own_keypoints.rcn_keras(*export)
        own_keypoints.rcn_keras(*export, *data)
    stem = pathlib.Path(folder) / preset.name
    return {
        "OpenVINO": stem.with_suffix(".onnx"),
        "OpenVINO, 8-bit": stem.with_name(f"{stem.name}_int8.onnx"),
        "LiteRT": stem.with_suffix(".tflite"),
        "LiteRT, 8-bit": stem.with_name(f"{stem.name}_int8.tflite"),
    }


def measurements(runtimes, crops):
    """Of each runtime its error on the crops, and how far it is from Keras.

    Yields:
        dict; distances in pixels of the crops.
    """
    images, true = input_images(crops)
    images = images.astype("float32")
    batches = range(0, len(images), BATCH)
    exact = None
    for name, run in runtimes.items():
        found = np.concatenate([run(images[i : i + BATCH]) for i in batches])
        exact = found if exact is None else exact  # Keras's, which is the first
        apart = np.linalg.norm(found - exact, axis=-1)
        errors = summary(normalized_errors(true, found, crops.layout))
        yield {
            "runtime": name,
            "subpixel_nme": round(errors["nme"], 3),
            "keypoints_below_2": sum(error < 2 for error in errors["per_keypoint"]),
            "from_keras_mean": round(float(apart.mean()), 4),
            "from_keras_largest": round(float(apart.max()), 2),
        }


if __name__ == "__main__":
    common.run(main)
