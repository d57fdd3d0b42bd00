"""`rcn-keras info`."""

import argparse
import importlib.metadata
import json
import sys

HELP = "Prints the installed packages, and the settings and runtimes of a preset."
EXAMPLE = "rcn-keras info rcn6_mtfl"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", nargs="?")


def run(options: argparse.Namespace) -> int:
    import rcn_keras
    from rcn_keras.presets import preset_folder, read_config
    from rcn_keras.runtime import RUNTIMES, installed_runtimes

    print(f"rcn_keras {rcn_keras.__version__}, python {sys.version.split()[0]}")
    installed = installed_runtimes()
    for package in dict.fromkeys(RUNTIMES[name][0] for name in installed):
        distribution = package.replace("_", "-")
        print(f"{distribution} {importlib.metadata.version(distribution)}")
    print(f"runtimes installed: {', '.join(installed) or 'none'}")
    for name in [options.preset] if options.preset else rcn_keras.list_presets():
        folder = preset_folder(name)
        config = read_config(folder)
        print(f"\n{name}: {_parameters(folder, installed)}")
        if config.get("model") != "denoiser":  # which is run inside a joint model
            print(f"runtimes: {_runtimes(folder)}")
        print(json.dumps(config, indent=2))
    return 0


def _runtimes(folder):
    """Those that can run a preset here, with what `auto` takes."""
    from rcn_keras.runtime import choose_runtime, usable_runtimes

    try:
        automatic = choose_runtime(folder)
    except ImportError as error:
        return str(error)
    return f"{', '.join(usable_runtimes(folder))} (auto: {automatic})"


def _parameters(folder, installed):
    if "keras" not in installed:
        return "parameters are counted by Keras, which is not installed"
    from rcn_keras.cli.start import start_keras
    from rcn_keras.presets import load_preset

    start_keras()
    return f"{load_preset(folder).model.count_params():,} parameters"
