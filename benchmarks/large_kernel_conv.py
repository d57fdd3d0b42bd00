"""Time and memory of the paper's denoiser, by `Conv2D` and by `LargeKernelConv2D`.

    python benchmarks/large_kernel_conv.py --csv results/large_kernel_conv.csv

The network is that of Honari et al., CVPR 2016, Fig. 2: three ReLU convolutions of
45x45 cells, 68 -> 64 -> 64 -> 64 maps of 80x80, and one of 1x1 back to 68. Contenders:

- direct: `keras.layers.Conv2D`;
- fft: `LargeKernelConv2D`, the kernels' transform computed at each call;
- fft, once: its `inference_model`, the transform computed once (no training).

A training step is forward, gradients of all weights and an SGD update. Each measurement
runs in a process of its own, whose peak memory (TensorFlow or JAX themselves included)
stands beside the time; "direct / this" compares medians. What does not end within the
limit, start and warm-up included, stands as "over N s". Inputs are random one-hot maps.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import common
import keras
import numpy as np
from keras import layers

from rcn_keras import provenance
from rcn_keras.layers import LargeKernelConv2D
from rcn_keras.layers.large_kernel_conv2d import inference_model
from rcn_keras.layers.peak_one_hot import one_hot_maps

KEYPOINTS = 68
CONTENDERS = ("direct", "fft", "fft, once")
TASKS = ("forward", "training")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "faces at once; may be given several times (default: 1, 8 and 64)"
    parser.add_argument("--batch", type=int, action="append", help=text)
    common.count_option(parser, "--rounds", 5, "timed calls of each measurement")
    common.count_option(parser, "--limit", 300, "seconds that a measurement may take")
    common.count_option(parser, "--size", 80, "side of the maps")
    common.count_option(parser, "--kernel-size", 45, "side of the kernels")
    common.count_option(parser, "--filters", 64, "maps of each large convolution")
    text = "leave out the direct one's training, minutes a step on a CPU"
    parser.add_argument("--no-direct-training", action="store_true", help=text)
    parser.add_argument("--csv", type=pathlib.Path, help="file for the numbers")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.batch = options.batch or [1, 8, 64]
    if options.one:
        print(json.dumps(measure(*options.one, options)))
        return
    rows = []
    for task in TASKS:
        for batch in options.batch:
            rows += compare(task, batch, options)
    print(common.markdown(rows))
    print(f"\n{provenance.device()}; {keras.backend.backend()}, {keras.__version__}")
    if options.csv:
        common.write_rows(options.csv, rows)


def compare(task, batch, options):
    """A row for each contender that does the task."""
    left_out = {"fft, once"} if task == "training" else set()
    if task == "training" and options.no_direct_training:
        left_out.add("direct")
    found = {
        contender: in_a_process(contender, task, batch, options)
        for contender in CONTENDERS
        if contender not in left_out
    }
    direct = found.get("direct", {}).get("median")
    rows = []
    for contender, one in found.items():
        median, minimum = one.get("median"), one.get("minimum")
        rows.append(
            {
                "task": task,
                "batch": batch,
                "contender": contender,
                "ms a face, median": one["failure"] if median is None else median,
                "minimum": "" if minimum is None else minimum,
                "direct / this": f"{direct / median:.2f}" if direct and median else "",
                "peak_memory_mib": one.get("memory", ""),
                "rounds": one.get("rounds", ""),
                "size": options.size,
                "kernel_size": options.kernel_size,
                "filters": options.filters,
            }
        )
        common.say(f"{task}, batch {batch}, {contender}: {one}")
    return rows


def in_a_process(contender, task, batch, options):
    """What `measure` gives, or `{"failure": why not}`."""
    command = [sys.executable, __file__, "--one", contender, task, "--batch", batch]
    for name in ("rounds", "limit", "size", "kernel_size", "filters"):
        command += [f"--{name.replace('_', '-')}", getattr(options, name)]
    try:
        ended = subprocess.run(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            text=True,
            timeout=options.limit,
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"over {options.limit} s"}
    if ended.returncode:  # its own words went to stderr; -9 is the lack of memory
        return {"failure": f"exit code {ended.returncode}"}
    return json.loads(ended.stdout.splitlines()[-1])


def measure(contender, task, options):
    """Milliseconds a face and peak memory of this process."""
    started, batch = time.perf_counter(), options.batch[0]
    model = denoiser(contender, options)
    cells = np.random.default_rng(0).integers(0, options.size, (2, batch, KEYPOINTS))
    maps = one_hot_maps(*cells, options.size, options.size)
    maps = keras.ops.convert_to_numpy(maps)
    times = []
    for _ in range(1 + options.rounds):
        start = time.perf_counter()
        if task == "training":
            model.train_on_batch(maps, maps)
        else:
            model.predict_on_batch(maps)
        times.append(1000 * (time.perf_counter() - start) / batch)
        # The slowest get fewer rounds rather than none; the first one compiles.
        if len(times) > 1 and time.perf_counter() - started > options.limit / 2:
            break
    return {
        "median": round(statistics.median(times[1:]), 2),
        "minimum": round(min(times[1:]), 2),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "rounds": len(times) - 1,
    }


def denoiser(contender, options):
    """The network, compiled."""
    maps = x = keras.Input((options.size, options.size, KEYPOINTS))
    for _ in range(3):
        arguments = (options.filters, options.kernel_size)
        if contender == "direct":
            x = layers.Conv2D(*arguments, padding="same", activation="relu")(x)
        else:
            x = LargeKernelConv2D(*arguments, activation="relu")(x)
    model = keras.Model(maps, layers.Conv2D(KEYPOINTS, 1)(x))
    if contender == "fft, once":
        model = inference_model(model)
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() == "jax")
    return model


if __name__ == "__main__":
    common.run(main)
