"""A network of one's own keypoints by every runtime, on photographs it has not seen.

    python benchmarks/own_served.py --data webmorph --out runs --recipes own own_fine

Takes the presets that `own_keypoints.py` left in `--out` and exports them by the
commands that the guide names. Each runtime gets the photographs that were held out and
the boxes around their keypoints. Its keypoints are compared with those of the Python
predictor on Keras, in pixels of the photographs. The SavedModel is run by TensorFlow's
C++ loader in a process that has neither TensorFlow for Python nor Keras. Its endpoint
`faces` gets the files as they are, and cuts them by its own code; `serving_default`
gets the crops of the first pass.
"""

import pathlib
import tempfile

import common
import numpy as np
import own_keypoints
from saved_model_session import run_in_fresh_process

import rcn_keras
from rcn_keras.data.own import read_own
from rcn_keras.faces.boxes import box_squares
from rcn_keras.faces.crop import input_crops, to_photograph
from rcn_keras.faces.images import read_image

SAVED_MODEL = "SavedModel by the C++ loader"
RUNTIMES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "LiteRT": "litert"}


def main():
    options, tables = own_keypoints.finished_trainings(
        __doc__, "python benchmarks/own_served.py --data webmorph --out runs"
    )
    rows = []
    for recipe in options.recipes:
        preset = options.out / f"mixed_{recipe}_preset"
        predictor = rcn_keras.Predictor(preset, runtime="keras")
        reading = {"layout": predictor.layout, "images": options.data / "images"}
        faces = read_own(tables["london"], **reading).faces
        for name, apart in distances(preset, predictor, faces):
            rows.append(
                {
                    "recipe": recipe,
                    "runtime": name,
                    "photographs": len(faces),
                    "keypoints": predictor.layout.count,
                    "mean_pixels": f"{apart.mean():.6f}",
                    "furthest_pixels": f"{apart.max():.6f}",
                    "within_1e-3": int((apart.max(axis=1) < 1e-3).sum()),
                }
            )
    print(common.markdown(rows))
    common.write_rows(options.results / "own_served.csv", rows)


def distances(preset, predictor, faces):
    """What each runtime's keypoints are apart from the predictor's.

    Yields:
        name: str, of the runtime.
        apart: `(N, K)` pixels of the photographs.
    """
    files = [pathlib.Path(face.image).read_bytes() for face in faces]
    boxes = np.float32([box_around(face.keypoints) for face in faces])
    pictures = [read_image(face.image) for face in faces]
    expected = located(predictor, pictures, boxes)
    layout, size = predictor.layout, predictor.model.input_size
    squares = box_squares(np.float64(boxes), layout)
    crops = input_crops(pictures, squares, layout.square.context, size)
    with tempfile.TemporaryDirectory() as folder:
        own_keypoints.rcn_keras("export", preset, folder)
        requests = {
            "faces": {"image_bytes": np.array(files, "object"), "boxes": boxes},
            "serving_default": {"images": np.float32(crops)},
        }
        answers = run_in_fresh_process(f"{folder}/1", {"held out": requests})
    found = {name: each["keypoints"] for name, each in answers["held out"].items()}
    yield f"{SAVED_MODEL}, files", np.linalg.norm(found["faces"] - expected, axis=-1)
    one_pass, _, _ = predictor.locator.one_pass(pictures, squares)
    keypoints = to_photograph(found["serving_default"], squares, size)
    yield f"{SAVED_MODEL}, crops", np.linalg.norm(keypoints - one_pass, axis=-1)
    for file_format in ("onnx", "litert"):
        own_keypoints.rcn_keras("export", preset, "--format", file_format, "--force")
    for name, runtime in RUNTIMES.items():
        other = rcn_keras.Predictor(preset, runtime=runtime)
        keypoints = located(other, pictures, boxes)
        yield name, np.linalg.norm(keypoints - expected, axis=-1)


def box_around(keypoints):
    """`[x0, y0, x1, y1]` around the known ones of `(K, 2)`."""
    return [*np.nanmin(keypoints, axis=0), *np.nanmax(keypoints, axis=0)]


def located(predictor, pictures, boxes):
    """Keypoints `(N, K, 2)` of N photographs with a box each."""
    found = predictor(pictures, [box[None] for box in boxes])
    return np.stack([face.keypoints for (face,) in found])


if __name__ == "__main__":
    common.run(main)
