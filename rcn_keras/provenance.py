"""Where a number comes from: machine, day and command."""

import datetime
import os
import pathlib
import platform
import shlex
import subprocess
import sys

import keras

CPU_INFO = pathlib.Path("/proc/cpuinfo")
GPU_NAMES = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # its names there, of x86 and of ARM


def accelerators() -> list[str]:
    """Names of the devices other than the CPU that Keras sees."""
    devices = keras.distribution.list_devices()
    return [name for name in devices if not name.startswith("cpu")]


def emulates_bfloat16(info: pathlib.Path = CPU_INFO) -> bool:
    """Whether the processor says that it has no instructions for bfloat16.

    A training in bfloat16 takes many times as long there as one in float32.

    Args:
        info: path of what the processor says (Linux).

    Returns:
        bool; `False` also where it says nothing.
    """
    flags = set(info.read_text(encoding="utf-8").split()) if info.exists() else BFLOAT16
    return not accelerators() and not flags & BFLOAT16


def fast_precision() -> str:
    """The dtype policy that this machine has hardware for.

    Returns:
        `"mixed_bfloat16"` on an accelerator or a processor with bfloat16 instructions,
        `"float32"` on any other, and on a processor under JAX, where some versions
        give NaN in bfloat16.
    """
    on_cpu = not accelerators()
    if on_cpu and (keras.backend.backend() == "jax" or emulates_bfloat16()):
        return "float32"
    return "mixed_bfloat16"


def device() -> str:
    """The accelerators Keras runs on, or the processor and its number of cores."""
    names = accelerators()
    if names:
        gpus = _gpu_names()  # of all there are, and Keras may see fewer of them
        return ", ".join(gpus if len(gpus) == len(names) else names)
    name = platform.processor() or platform.machine()
    if CPU_INFO.exists():
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
        models = [
            line.split(":", 1)[1].strip() for line in lines if "model name" in line
        ]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores"


def _gpu_names():
    """What NVIDIA's driver calls the GPUs, `[]` where there is none: Keras only counts
    them."""
    try:
        listing = subprocess.run(GPU_NAMES, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return listing.stdout.split("\n")[:-1]


def command() -> str:
    """The command line that runs now, paths outside its folder by their last part."""
    name = pathlib.Path(sys.argv[0]).name
    words = ["rcn-keras" if name == "__main__.py" else name]
    for word in sys.argv[1:]:
        words.append(
            pathlib.Path(word).name if pathlib.Path(word).is_absolute() else word
        )
    return shlex.join(words)


def record() -> dict[str, str]:
    """All of it as a dict."""
    return {
        "device": device(),
        "backend": keras.backend.backend(),
        "date": datetime.date.today().isoformat(),
        "command": command(),
    }
