"""`rcn-keras`, and `python -m rcn_keras`: the command line."""

import os
import sys


def main() -> int:
    """Starts Keras quietly, then hands over to `rcn_keras.cli`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow leaves oneDNN's convolutions off where a processor has no AVX-512; they
    # are the faster ones there too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Standard error is closed meanwhile: TensorFlow writes half a dozen lines there,
    # whatever its log level, before the first answer.
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    fault = None
    try:
        import keras

        keras.ops.zeros(1)
    except ModuleNotFoundError as error:
        fault = (
            f"the package {error.name!r} is missing: pip install "
            "'rcn-keras[tensorflow]', or 'rcn-keras[jax]' and set KERAS_BACKEND=jax"
        )
    except Exception as error:  # a backend that does not exist, a broken installation
        fault = f"Keras does not start: {error}"
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
    if fault:
        print(f"rcn-keras: error: {fault}", file=sys.stderr)
        return 2
    from rcn_keras import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
