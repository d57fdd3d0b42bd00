"""Exported files of one network against each other: time, keypoints, where time goes.

Each file (ONNX or LiteRT) runs on what runs it, ONNX Runtime, OpenVINO in float32 and
in bfloat16, or LiteRT, on drawn faces. All take turns against the clock in one process.
Ratios are to the first file of the same runtime. The last columns are OpenVINO's
counters for one batch: the time of all operations, and the share of convolutions.
"""

import argparse
import os
import pathlib
import time

import common
import numpy as np

from rcn_keras.data.synthetic import draw_crop
from rcn_keras.layout import FACE_5

BATCHES = (1, 64)
PRECISIONS = {"OpenVINO": "f32", "OpenVINO, bf16": "bf16"}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  python benchmarks/exported_graph.py old.onnx new.onnx",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=pathlib.Path, help=".onnx or .tflite")
    parser.add_argument("--results", type=pathlib.Path, default=common.RESULTS)
    common.count_option(parser, "--rounds", 51, "turns of each")
    common.count_option(parser, "--threads", os.cpu_count(), "of each runtime")
    options = parser.parse_args()
    faces = np.stack([draw_crop(seed, FACE_5)[-1] for seed in range(max(BATCHES))])
    contenders = {}
    for file in options.files:
        for batch in BATCHES:
            images = faces[:batch].astype("float32")
            for runtime, opened in runtimes(file, images, options.threads).items():
                contenders[runtime, batch, file] = opened
    times = {key: [] for key in contenders}
    for turn in range(-1, options.rounds):  # The first turn warms up.
        for key, milliseconds in times.items():
            start = time.perf_counter()
            contenders[key]()
            if turn >= 0:
                milliseconds.append(1000 * (time.perf_counter() - start) / key[1])
        common.say(f"{turn + 1}/{options.rounds} rounds")
    rows = []
    for (runtime, batch, file), run in contenders.items():
        first = next(key for key in contenders if key[:2] == (runtime, batch))
        apart = np.linalg.norm(run() - contenders[first](), axis=-1)
        median, before = np.median(times[runtime, batch, file]), np.median(times[first])
        row = {
            "runtime": runtime,
            "batch": batch,
            "file": file.name,
            "kB": round(file.stat().st_size / 1000),
            "ms a face, median": f"{median:.3f}",
            "minimum": f"{min(times[runtime, batch, file]):.3f}",
            "ratio": f"{median / before:.3f}",
            "apart, pixels": f"{apart.max():.5f}",
            "operations, ms": "",
            "convolutions": "",
        }
        if runtime in PRECISIONS:
            images = faces[:batch].astype("float32")
            total, share = profile(file, images, options.threads, PRECISIONS[runtime])
            row |= {"operations, ms": f"{total:.3f}", "convolutions": f"{share:.2f}"}
        rows.append(row | {"threads": options.threads, "rounds": options.rounds})
    rows.sort(key=lambda row: (row["runtime"], row["batch"]))
    print(common.markdown(rows))
    common.write_rows(options.results / "exported_graph.csv", rows)


def runtimes(file, images, threads):
    """Runtime to a function that gives the keypoints of `images`."""
    if file.suffix == ".tflite":
        return {"LiteRT": litert(file, images, threads)}
    return {"ONNX Runtime": onnx_runtime(file, images, threads)} | {
        name: openvino(file, images, threads, precision)
        for name, precision in PRECISIONS.items()
    }


def litert(file, images, threads):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(file), num_threads=threads).get_signature_runner()
    return lambda: run(images=images)["keypoints"]


def onnx_runtime(file, images, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options)
    return lambda: session.run(["keypoints"], {"images": images})[0]


def openvino(file, images, threads, precision):
    request = compiled(file, images, threads, precision).create_infer_request()
    return lambda: request.infer({"images": images})["keypoints"].copy()


def compiled(file, images, threads, precision, **settings):
    import openvino

    core = openvino.Core()
    model = core.read_model(file)
    model.reshape(images.shape)
    settings |= {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    return core.compile_model(model, "CPU", settings)


def profile(file, images, threads, precision):
    """Milliseconds of all operations, and the share of convolutions, at their least."""
    model = compiled(file, images, threads, precision, PERF_COUNT=True)
    request = model.create_infer_request()
    least, kinds = {}, {}
    for _ in range(20):
        request.infer({"images": images})
        for one in request.profiling_info:
            spent = 1000 * one.real_time.total_seconds()
            least[one.node_name] = min(spent, least.get(one.node_name, spent))
            kinds[one.node_name] = one.node_type
    total = sum(least.values())
    convolutions = ("Convolution", "Deconvolution")
    share = sum(least[name] for name in least if kinds[name] in convolutions)
    return total, share / total


if __name__ == "__main__":
    common.run(main)
