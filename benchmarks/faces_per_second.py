"""Milliseconds a face and error, beside other people's models, in one run.

Every contender gets the same decoded photographs, the first faces of MTFL's
testing.txt (AFLW), and the same boxes: the paper's squares around the true keypoints.
The contenders take turns in rounds; a time is the median (and the minimum) over the
rounds, a ratio the median over the rounds of its time over that of the first line.
Threads are each one's default. Rivals take one face at a time: batch 1.

Errors are mean distances over the interocular distance, sub-pixel, in percent: on the
labels as released, and shift-corrected (`rcn_keras.data.mtfl.AFLW_LABEL_SHIFT`). As the
rivals' points are defined a little differently, their errors are given raw and with a
linear map a keypoint, fitted on MTFL training faces with boxes alike; ours are raw.

The last line for each network is its floor: its multiply-adds at the speed of a float32
matrix product, measured in the same rounds.
"""

import dataclasses
import resource
import time
from collections.abc import Callable

import common
import keras
import numpy as np
from accuracy import apply_correction, both_errors, fit_correction, labels, located

from rcn_keras import provenance
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.splits import split
from rcn_keras.errors import InputError
from rcn_keras.faces.crop import input_crop
from rcn_keras.layout import FACE_5
from rcn_keras.predictor import Predictor
from rcn_keras.presets import from_preset, list_presets

PRESETS = ("rcn6_mtfl", "sumnet6_mtfl")
BATCH = 64
PRODUCT = 2048  # side of the matrices


@dataclasses.dataclass(frozen=True)
class Contender:
    """Something to time: `run()` does the work of `faces` faces."""

    name: str
    batch: int | str
    faces: float
    run: Callable
    errors: dict = dataclasses.field(default_factory=dict)


def main():
    parser = common.parser(
        __doc__, "python benchmarks/faces_per_second.py --data MTFL --faces 500"
    )
    common.count_option(parser, "--faces", 500, f"of testing.txt, {BATCH} at least")
    common.count_option(parser, "--fit-faces", 1000, "to fit the corrections on")
    common.count_option(parser, "--rounds", 7, "turns of each contender")
    options = parser.parse_args()
    faces = read_mtfl(options.data, "testing")[: options.faces]
    listed = read_mtfl(options.data, "training")
    fitting = [listed[i] for i in split(len(listed))[0][: options.fit_faces]]
    test = list(common.photographs(faces, "test photographs"))
    if len(test) < BATCH:
        raise InputError(f"{BATCH} faces at least are needed. Received: {len(test)}")

    networks = {name: from_preset(name) for name in PRESETS if name in list_presets()}
    contenders = [c for name in networks for c in ours(name, networks[name], test)]
    for name in common.RIVALS:
        try:
            rival = common.load_rival(name)
        except ImportError as error:
            common.say(f"left out: {error}")
            continue
        contenders.append(theirs(rival, test, fitting))
    contenders += [floor(name, network) for name, network in networks.items()]

    rows = table(contenders, timed(contenders, options.rounds))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # KiB on Linux
    print(common.markdown(rows))
    print(f"\n{len(test)} AFLW faces, {options.rounds} rounds; {provenance.device()};")
    print(f"{keras.backend.backend()}, keras {keras.__version__};", end=" ")
    print(f"peak memory of the run, all contenders: {memory} MiB")
    rows = [row | {"peak_memory_mib": memory} for row in rows]
    common.write_rows(options.results / "faces_per_second.csv", rows)


def ours(name, network, test):
    """Our contenders: the predictor with and without refinement, the bare network."""
    faces, images, squares = map(list, zip(*test))
    crops = [
        input_crop(image, square, FACE_5.square.context)
        for image, square in zip(images, squares)
    ]
    crops = np.stack(crops)[..., None].astype("float32")
    network.compile(jit_compile=keras.backend.backend() == "jax")
    predictor, found = Predictor(name), []
    for refinements, label in enumerate(("known square", "known square, refined")):

        def locate(part, refinements=refinements):
            predictor.locator.refinements = refinements
            return predictor.locate(images[part], squares[part])[0]

        errors = both_errors(locate(slice(None)), faces)
        for batch in (1, BATCH):
            text = f"{name}, {label}"
            found.append(contender(text, batch, len(test), locate, errors))

    def network_alone(part):
        network.predict_on_batch(crops[part])

    for batch in (1, BATCH):
        text = f"{name}, network alone"
        found.append(contender(text, batch, len(test), network_alone))
    return found


def theirs(rival, test, fitting):
    """A rival as contender, with its errors raw and corrected."""
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

    return contender(rival.name, 1, len(test), predict, errors)


def contender(name, batch, count, step, errors=None):
    """`step` over whole batches of the faces; called once here, to warm up."""
    starts = range(0, count - count % batch, batch)
    step(slice(0, batch))

    def run():
        for start in starts:
            step(slice(start, start + batch))

    return Contender(name, batch, batch * len(starts), run, errors or {})


def floor(name, network):
    """The matrix product that has as many multiply-adds as so many faces."""
    left, right = np.random.default_rng(0).random((2, PRODUCT, PRODUCT), "float32")
    left, right = keras.ops.convert_to_tensor(left), keras.ops.convert_to_tensor(right)
    count = macs(network)
    return Contender(
        f"{name}, floor: {count / 1e9:.3f} G multiply-adds",
        "",
        PRODUCT**3 / count,
        lambda: np.asarray(keras.ops.matmul(left, right)),
    )


def macs(model):
    """Multiply-adds a face in the convolutions of a Keras model."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            height, width = layer.output.shape[1:3]
            total += height * width * int(np.prod(layer.kernel.shape))
    return total


def timed(contenders, rounds):
    """Milliseconds a face, `(rounds, contenders)`; they take turns, to and fro."""
    milliseconds = np.zeros((rounds, len(contenders)))
    for turn in range(rounds):
        order = range(len(contenders))
        for i in order if turn % 2 == 0 else reversed(order):
            start = time.perf_counter()
            contenders[i].run()
            elapsed = time.perf_counter() - start
            milliseconds[turn, i] = 1000 * elapsed / contenders[i].faces
        common.say(f"{turn + 1}/{rounds} rounds")
    return milliseconds


def table(contenders, milliseconds):
    """The rows, for the README and the file alike."""
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
        }
        | {f"error %, {kind}": one.errors.get(kind, "") for kind in kinds}
        for one, times, ratio in zip(contenders, milliseconds.T, ratios)
    ]


if __name__ == "__main__":
    common.run(main)
