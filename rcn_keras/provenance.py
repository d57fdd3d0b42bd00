"""Where a number comes from: machine, day and command."""

import datetime
import os
import pathlib
import platform
import shlex
import sys

import keras


def accelerators():
    """Names of the devices other than the CPU that Keras sees."""
    devices = keras.distribution.list_devices()
    return [name for name in devices if not name.startswith("cpu")]


def device():
    """The accelerators Keras runs on, or the processor and its number of cores."""
    if accelerators():
        return ", ".join(accelerators())
    name = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        models = [
            line.split(":", 1)[1].strip() for line in lines if "model name" in line
        ]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores"


def command():
    """The command line that runs now, paths outside its folder by their last part."""
    words = [pathlib.Path(sys.argv[0]).name]
    for word in sys.argv[1:]:
        words.append(
            pathlib.Path(word).name if pathlib.Path(word).is_absolute() else word
        )
    return shlex.join(words)


def record():
    """All of it as a dict."""
    return {
        "device": device(),
        "backend": keras.backend.backend(),
        "date": datetime.date.today().isoformat(),
        "command": command(),
    }
