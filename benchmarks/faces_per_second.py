"""Milliseconds a face, beside other people's models; whole photographs; cold starts.

Every contender gets the same decoded photographs, the first faces of MTFL's
testing.txt (AFLW). "Known square": crop and network on the paper's squares around the
true keypoints, which the rivals get too. "Default": the prediction as it comes, from a
detector's box, with a second pass for the faces that need it. "Network alone": crops
in, keypoints and confidence out. The contenders take turns in rounds, each turn after a
call that is not timed; a time is the median (and the minimum) over the rounds, a ratio
the median over the rounds of its time over that of the first line, dlib's where it is
installed.

Each runtime takes as many threads as the process has cores (`--cores` keeps it to
fewer); dlib takes one. Rivals take one face at a time: batch 1.

Errors are mean distances over the interocular distance, sub-pixel, in percent: on the
labels as released, and shift-corrected (`rcn_keras.data.mtfl.AFLW_LABEL_SHIFT`). As the
rivals' points are defined a little differently, their errors are given raw and with a
linear map a keypoint, fitted on MTFL training faces with boxes alike; ours are raw.

"Floor" is the network's multiply-adds at the speed of a float32 matrix product,
measured in the same rounds.

Three files: faces_per_second.csv, photographs_per_second.csv (`photographs.py`), and
speed_goals.csv, what of both was to be reached.
"""

import os
import pathlib
import resource
import shutil
import tempfile

import common
import keras
import numpy as np
import photographs
from accuracy import apply_correction, both_errors, fit_correction, labels, located
from speed_goals import goals
from timing import Contender, fix_cores, in_batches, timed

import rcn_keras
from rcn_keras import provenance
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.splits import split
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.faces.boxes import box_squares, second_squares
from rcn_keras.faces.crop import input_crops
from rcn_keras.faces.detect import detect_faces, get_detector
from rcn_keras.layout import FACE_5
from rcn_keras.presets import EXPORTS, from_preset, preset_folder, read_layout
from rcn_keras.runtime import RUNTIMES, installed_runtimes, load_runtime
from rcn_keras.runtime.locator import LocalLocator

PRESET = "rcn6_mtfl"  # by every runtime; the others by those named
OTHERS = {
    "rcn6_wide": ("openvino",),
    "sumnet6_mtfl": ("openvino", "openvino-bf16"),
    "rcn5_300w": ("openvino",),
    "joint_300w": (
        "openvino",
        "openvino-bf16",
        "openvino-int8",
        "onnxruntime",
        "keras",
    ),
}
BATCH = 64
PRODUCT = 2048  # side of the matrices
FOLDER_ROUNDS = 3


def main():
    parser = common.parser(
        __doc__, "python benchmarks/faces_per_second.py --data MTFL --faces 300"
    )
    common.count_option(parser, "--faces", 300, f"of testing.txt, {BATCH} at least")
    common.count_option(parser, "--fit-faces", 1000, "to fit the corrections on")
    common.count_option(parser, "--rounds", 5, "turns of each contender")
    common.count_option(parser, "--cores", os.cpu_count(), "that all are kept to")
    options = parser.parse_args()
    threads = fix_cores(options.cores)
    listed = read_mtfl(options.data, "testing")
    test = list(common.photographs(listed[: options.faces], "test photographs"))
    if len(test) < BATCH:
        raise InputError(f"{BATCH} faces at least are needed. Received: {len(test)}")
    training = read_mtfl(options.data, "training")
    fitting = [training[i] for i in split(len(training))[0][: options.fit_faces]]

    contenders = list(rivals(test, fitting, threads))
    detected, squares = detector_squares(test)
    with tempfile.TemporaryDirectory() as folder:
        locators = dict(all_locators(pathlib.Path(folder)))
        for (preset, runtime), locator in locators.items():
            name = f"{preset}, {runtime}"
            contenders += ours(name, locator, test, squares, threads)
        contenders.append(floor(from_preset(PRESET, load_weights=False), threads))
        milliseconds = timed(contenders, options.rounds)
        faces = table(contenders, milliseconds)
        whole = photographs.measured(folder, options.rounds, FOLDER_ROUNDS, threads)
        exact = precision(locators, listed, test)
    fastest = next(iter(locators.values()))
    moved = second_pass(fastest, test, squares)
    reached = goals(faces, whole, exact)

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # KiB on Linux
    for rows in (faces, whole, reached):
        print(common.markdown(rows), end="\n\n")
    print(f"{len(test)} AFLW faces, {options.rounds} rounds; {provenance.device()};")
    print(f"{threads} cores; boxes of the default: {detected}, ", end="")
    print(f"{100 * moved:.0f} % looked at twice;", end=" ")
    print(f"{keras.backend.backend()}, keras {keras.__version__};", end=" ")
    print(f"peak memory of the run, all contenders: {memory} MiB")
    faces = [row | {"peak_memory_mib": memory} for row in faces]
    common.write_rows(options.results / "faces_per_second.csv", faces)
    common.write_rows(options.results / "photographs_per_second.csv", whole)
    common.write_rows(options.results / "speed_goals.csv", reached)


def all_locators(folder):
    """`(preset, runtime)` to its locator, of what is installed."""
    installed = installed_runtimes()
    if "litert" in installed and keras.backend.backend() != "tensorflow":
        common.say("left out: litert: TensorFlow exports its file")
        installed.remove("litert")
    layouts = {}
    for preset, runtimes in {PRESET: installed, **OTHERS}.items():
        for runtime in runtimes:
            if runtime not in installed:
                common.say(f"left out: {preset}, {runtime}: not installed")
                continue
            source = preset_folder(preset)
            if runtime == "litert":
                source = exported(source, folder / runtime, quantize=False)
            if not (source / RUNTIMES[runtime][2]).exists():
                common.say(f"left out: {preset}, {runtime}: it has no file for it")
                continue
            layout = layouts.setdefault(preset, read_layout(source))
            locator = LocalLocator(load_runtime(source, runtime), layout)
            yield (preset, runtime), locator
    if "litert" in installed:
        source = exported(preset_folder(PRESET), folder / "8-bit", quantize=True)
        locator = LocalLocator(load_runtime(source, "litert"), layouts[PRESET])
        yield (PRESET, "litert, 8-bit"), locator


def exported(preset, folder, quantize):
    """A copy of a preset with its LiteRT file."""
    shutil.copytree(preset, folder)
    file = rcn_keras.export_model(folder, folder, "litert", quantize=quantize)
    file.rename(folder / EXPORTS["litert"])
    return folder


def detector_squares(test):
    """The detector's name, and the squares `(N, 3)` of its boxes; of a face that it
    does not find the true one."""
    detector = get_detector()
    squares = np.array([square for _, _, square in test], "float64")
    found = 0
    for (_, image, _), square in zip(test, squares):
        boxes, _ = detect_faces(detector, image)
        given = box_squares(boxes, FACE_5)
        if len(given):
            center = square[:2] + square[2] / 2
            apart = np.linalg.norm(given[:, :2] + given[:, 2:] / 2 - center, axis=1)
            if apart.min() < square[2] / 4:
                square[:] = given[apart.argmin()]
                found += 1
    return f"{detector.name}, {found} of {len(test)} faces", squares


def ours(name, locator, test, boxes, threads):
    """The predictor on known squares, as it comes, and the bare network."""
    faces, images, squares = map(list, zip(*test))
    squares = np.array(squares, "float64")
    crops = input_crops(
        images, squares, locator.layout.square.context, locator.runtime.input_size
    )
    five = locator.layout.count == FACE_5.count
    steps = {
        "network alone": lambda part: locator.runtime(crops[part]),
        "known square": lambda part: locator.one_pass(images[part], squares[part]),
        "default": lambda part: locator.locate_in_squares(images[part], boxes[part]),
    }
    for label in list(steps) if five else ["network alone"]:
        step, errors = steps[label], {}
        if label != "network alone":
            errors = both_errors(step(slice(None))[0], faces)
        for batch in (1, BATCH):
            text = f"{name}, {label}"
            yield in_batches(text, batch, len(test), step, threads, errors)


def rivals(test, fitting, threads):
    """The rivals that are installed, with their errors raw and corrected."""
    for name in common.RIVALS:
        try:
            rival = common.load_rival(name)
        except ImportError as error:
            common.say(f"left out: {error}")
            continue
        yield theirs(rival, test, fitting, 1 if name == "dlib" else threads)


def theirs(rival, test, fitting, threads):
    fitted = list(common.photographs(fitting, f"training photographs, {rival.name}"))
    faces, _, squares = zip(*fitted)
    correction = fit_correction(located(rival, fitted), labels(faces), squares)
    faces, images, squares = zip(*test)
    points = located(rival, test)
    corrected = apply_correction(points, correction, squares)
    errors = both_errors(points, faces) | both_errors(corrected, faces, ", linear map")
    boxes = [common.square_box(square) for square in squares]

    def predict(part):
        common.five_points(rival, images[part.start], boxes[part.start])

    return in_batches(rival.name, 1, len(test), predict, threads, errors)


def floor(network, threads):
    """The matrix product that has as many multiply-adds as so many faces."""
    left, right = np.random.default_rng(0).random((2, PRODUCT, PRODUCT), "float32")
    left, right = keras.ops.convert_to_tensor(left), keras.ops.convert_to_tensor(right)
    count = macs(network)
    return Contender(
        f"{PRESET}, floor: {count / 1e9:.3f} G multiply-adds",
        "",
        PRODUCT**3 / count,
        lambda: np.asarray(keras.ops.matmul(left, right)),
        threads,
    )


def macs(model):
    """Multiply-adds a face in the convolutions of a Keras model."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            height, width = layer.output.shape[1:3]
            total += height * width * int(np.prod(layer.kernel.shape))
    return total


def precision(locators, listed, test):
    """What the runtimes of `PRESET` differ by: error on all of AFLW as released, in
    percent, and how far at most from Keras's keypoints on the first faces, in pixels
    of the crop."""
    _, images, squares = map(list, zip(*test[:BATCH]))
    few = input_crops(images, squares, FACE_5.square.context)
    faces, images, squares = map(
        list, zip(*common.photographs(listed, "faces of AFLW"))
    )
    found = {}
    for (preset, runtime), locator in locators.items():
        if preset == PRESET:
            points = locator.one_pass(images, np.array(squares, "float64"))[0]
            error = 100 * normalized_errors(labels(faces), points, FACE_5).mean()
            found[runtime] = error, locator.runtime(few)[0]
    return {
        runtime: (error, np.linalg.norm(points - found["keras"][1], axis=-1).max())
        for runtime, (error, points) in found.items()
    }


def second_pass(locator, test, squares):
    """Share of the faces that the default prediction looks at twice."""
    _, images, _ = map(list, zip(*test))
    sizes = np.array([image.shape[1::-1] for image in images])
    points, _, _ = locator.one_pass(images, squares)
    second = second_squares(points, locator.layout, squares, sizes)
    return (second != squares).any(axis=1).mean()


def table(contenders, milliseconds):
    """The rows, for the page and the file alike."""
    ratios = np.median(milliseconds / milliseconds[:, :1], axis=0)
    kinds = ["as released", "shift-corrected"]
    kinds += [f"{kind}, linear map" for kind in kinds]
    return [
        {
            "contender": one.name,
            "batch": one.batch,
            "ms a face, median": f"{np.median(times):.2f}",
            "minimum": f"{times.min():.2f}",
            "ratio": f"{ratio:.2f}",
            "threads": one.threads,
        }
        | {f"error %, {kind}": one.errors.get(kind, "") for kind in kinds}
        for one, times, ratio in zip(contenders, milliseconds.T, ratios)
    ]


if __name__ == "__main__":
    common.run(main)
