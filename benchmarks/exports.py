"""One network by every runtime: keypoints apart from Keras's, file sizes, speed.

The network is exported to SavedModel, ONNX, LiteRT and, by training faces, 8-bit ONNX
and LiteRT, and each file is run by its own runtimes on the first test faces of a set
(paper's boxes): the SavedModel by TensorFlow's C++ loader, in a process that has no
Keras. Then all take turns against the clock, in one process, with as many threads as
there are cores. The error is over all test faces, sub-pixel, in percent of the eye
distance, on the labels as released: Keras's and that of what is not float32.
"""

import os
import pathlib
import tempfile
import time

import common
import numpy as np
from saved_model_session import SavedModelSession, run_in_fresh_process

import rcn_keras
from rcn_keras import provenance
from rcn_keras.data.batches import input_images
from rcn_keras.data.calibration import calibration_crops
from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.faces.boxes import box_squares
from rcn_keras.faces.images import decode_image
from rcn_keras.layout import FACE_5, FACE_68
from rcn_keras.serving.pictures import png_bytes

SIGNATURE = "serving_default"
KERAS, SAVED_MODEL = "Keras", "SavedModel, C++ loader"
OPENVINO = {
    "OpenVINO": "openvino",
    "OpenVINO, bf16": "openvino-bf16",
    "OpenVINO, 8-bit": "openvino-int8",
}
ROUNDED = ("OpenVINO, bf16", "OpenVINO, 8-bit", "LiteRT, 8-bit")
BATCHES = (1, 64)
PHOTOGRAPH = pathlib.Path(__file__).resolve().parents[1] / "examples/astronaut.jpg"
BOX = [180, 65, 265, 172]


def main():
    parser = common.parser(
        __doc__, "python benchmarks/exports.py --data MTFL --preset rcn6_mtfl"
    )
    parser.add_argument("--preset", default="rcn6_mtfl", help="default: %(default)s")
    common.count_option(parser, "--faces", 64, "to compare the runtimes on")
    common.count_option(parser, "--rounds", 7, "turns of each runtime")
    options = parser.parse_args()
    predictor = rcn_keras.Predictor(options.preset, runtime="keras")
    images, true, test_set = test_faces(options.data, predictor)
    few = images[: options.faces]
    with tempfile.TemporaryDirectory() as folder:
        crops = calibration_crops(options.data, predictor.layout, allow_missing=True)
        calibration, _ = input_images(crops)
        files = exported(options.preset, pathlib.Path(folder), calibration)
        sizes = {name: kilobytes(path) for name, path in files.items()}
        runtimes = {name: opened(name, path) for name, path in files.items()}
        found = {name: run(few) for name, run in runtimes.items()}
        found[SAVED_MODEL] = in_fresh_process(files[SAVED_MODEL], few)
        session = SavedModelSession(files[SAVED_MODEL])
        photograph = of_the_photograph(predictor, options.preset, session)
    runtimes = {KERAS: keras_runtime(predictor)} | runtimes
    found[KERAS] = runtimes[KERAS](few)
    sizes[KERAS] = ""
    times = timed(runtimes, images, options.rounds)
    rows = []
    for name, run in runtimes.items():
        apart = np.linalg.norm(found[name] - found[KERAS], axis=-1)
        error = ""
        if name in (KERAS, *ROUNDED):
            error = error_percent(run, images, true, predictor.layout)
        rows.append(
            {
                "preset": options.preset,
                "runtime": name,
                "kB": sizes[name],
                "from Keras, pixels": f"{apart.max():.5f}",
                "from Keras, mean": f"{apart.mean():.5f}",
                "test set": test_set,
                "error %": error,
            }
            | {
                f"ms a face, batch {batch}": f"{np.median(times[name, batch]):.2f}"
                for batch in BATCHES
            }
        )
    print(common.markdown(rows))
    print(f"\n{len(few)} faces, {options.rounds} rounds; {provenance.device()}")
    rows = [row | {"faces": len(few), "test_faces": len(images)} for row in rows]
    common.write_rows(options.results / "exports.csv", rows)
    print(common.markdown(photograph))
    common.write_rows(options.results / "exports_photograph.csv", photograph)


def of_the_photograph(predictor, preset, session):
    """The `faces` signature against the predictor on the shipped photograph.

    In pixels of the network's input, for the same file; a JPEG is decoded by
    TensorFlow's decoder for the one and by Pillow's for the other.
    """
    data = PHOTOGRAPH.read_bytes()
    image = decode_image(data)
    gray = png_bytes(image[:, :, 1])
    files = {
        "JPEG": data,
        "PNG, colour": png_bytes(image),
        "PNG, grey": gray,
    }
    rows = []
    for name, file in files.items():
        (face,) = predictor(decode_image(file), [BOX])
        inputs = {"image_bytes": [file], "boxes": np.array([BOX], "float32")}
        found = session.run("faces", **inputs)
        _, _, side = box_squares(np.float64([BOX]), predictor.layout)[0]
        apart = np.abs(found["keypoints"][0] - face.keypoints).max() / (side / 80)
        sure = np.abs(found["confidence"][0] - face.confidence).max()
        rows.append(
            {
                "preset": preset,
                "file": name,
                "keypoints apart, input pixels": f"{apart:.6f}",
                "confidence apart": f"{sure:.6f}",
            }
        )
    return rows


def test_faces(data, predictor):
    """Inputs `(N, 80, 80, 1)`, true keypoints in their pixels, and the set's name."""
    test_set = {FACE_5.name: "aflw", FACE_68.name: "300w"}[predictor.layout.name]
    crops = load_test_set(
        data,
        test_set,
        lambda done, total: common.progress(done, total, "faces cropped"),
        allow_missing=True,
    )
    images, true = input_images(crops)
    return images.astype("float32"), true, test_set


def exported(preset, folder, calibration):
    """Runtime to the file, or folder, it runs."""
    onnx = rcn_keras.export_model(preset, folder, "onnx")
    litert = rcn_keras.export_model(preset, folder, "litert")
    rounded = {"folder": folder, "quantize": True}
    onnx_8_bit = rcn_keras.export_model(
        preset, format="onnx", calibration=calibration, **rounded
    )
    return {
        SAVED_MODEL: rcn_keras.export_model(preset, folder / "saved_model"),
        "ONNX Runtime": onnx,
        "OpenVINO": onnx,
        "OpenVINO, bf16": onnx,
        "OpenVINO, 8-bit": onnx_8_bit,
        "LiteRT": litert,
        "LiteRT, 8-bit": rcn_keras.export_model(preset, format="litert", **rounded),
    }


def kilobytes(path):
    """Of a file, or of a SavedModel's graph and variables."""
    files = [path] if path.is_file() else [path / "saved_model.pb"]
    files += path.glob("variables/*")
    return round(sum(file.stat().st_size for file in files) / 1000)


def keras_runtime(predictor):
    return lambda images: predictor.locator.runtime(images)[0]


def opened(name, path):
    """A function from crops `(N, 80, 80, 1)` to keypoints `(N, K, 2)`."""
    if name == SAVED_MODEL:
        session = SavedModelSession(path)
        return lambda images: session.run(SIGNATURE, images=images)["keypoints"]
    if name in OPENVINO:
        from rcn_keras.runtime.openvino import FileRuntime

        network = FileRuntime(path, OPENVINO[name])
        return lambda images: network(images)[0]
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        return lambda images: session.run(["keypoints"], {"images": images})[0]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    run = interpreter.get_signature_runner(SIGNATURE)
    return lambda images: run(images=images)["keypoints"]


def in_fresh_process(folder, images):
    """Keypoints by a process that has no Keras; one batch and batches of 1 and 7."""
    sizes = (1, 7, len(images))
    cases = {str(n): {SIGNATURE: {"images": images[:n]}} for n in sizes}
    answers = run_in_fresh_process(folder, cases)
    whole = answers[str(len(images))][SIGNATURE]["keypoints"]
    for n in (1, 7):
        part = answers[str(n)][SIGNATURE]["keypoints"]
        np.testing.assert_allclose(part, whole[:n], atol=1e-3)
    return whole


def error_percent(run, images, true, layout):
    """Sub-pixel, of all faces."""
    batches = range(0, len(images), BATCHES[-1])
    found = np.concatenate([run(images[i : i + BATCHES[-1]]) for i in batches])
    return f"{100 * normalized_errors(true, found, layout).mean():.2f}"


def timed(runtimes, images, rounds):
    """Milliseconds a face, by runtime and batch: a list of one for each round."""
    times = {(name, batch): [] for name in runtimes for batch in BATCHES}
    for turn in range(-1, rounds):  # The first turn warms up.
        for (name, batch), milliseconds in times.items():
            count = min(max(batch, 32), len(images))
            start = time.perf_counter()
            for i in range(0, count, batch):
                runtimes[name](images[i : i + batch])
            elapsed = time.perf_counter() - start
            if turn >= 0:
                milliseconds.append(1000 * elapsed / count)
        common.say(f"{turn + 1}/{rounds} rounds")
    return times


if __name__ == "__main__":
    common.run(main)
