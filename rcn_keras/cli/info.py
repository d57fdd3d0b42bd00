"""`rcn-keras info`."""

import json
import sys

HELP = "What is installed, and what a preset is."
EXAMPLE = "rcn-keras info rcn6_mtfl"


def add_options(parser):
    parser.add_argument("preset", nargs="?")


def run(options):
    import keras

    import rcn_keras
    from rcn_keras.presets import load_preset

    print(f"rcn_keras {rcn_keras.__version__}, keras {keras.__version__}")
    print(f"backend {keras.backend.backend()}, python {sys.version.split()[0]}")
    for name in [options.preset] if options.preset else rcn_keras.list_presets():
        preset = load_preset(name)
        print(f"\n{name}: {preset.model.count_params():,} parameters")
        print(json.dumps(preset.config, indent=2))
    return 0
