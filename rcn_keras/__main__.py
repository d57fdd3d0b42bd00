"""`rcn-keras`, and `python -m rcn_keras`: the command line."""

import os
import sys


def main() -> int:
    """Runs the command line, TensorFlow set to be quiet and quick."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow leaves oneDNN's convolutions off where a processor has no AVX-512; they
    # are the faster ones there too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    from rcn_keras import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
