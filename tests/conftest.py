import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest

# What is TensorFlow itself: `tf.data`, MTCNN (which the command line uses) and the
# kernel compared with tensorflow-addons. Everything else runs on any backend.
if keras.backend.backend() != "tensorflow":
    collect_ignore = [
        "cli_test.py",
        "data/pipeline_test.py",
        "faces/detect_test.py",
    ]


@pytest.fixture(scope="session")
def mtfl_folder(tmp_path_factory):
    """A drawn MTFL of 24 training and 6 testing faces."""
    from rcn_keras.data.synthetic import write_mtfl

    folder = tmp_path_factory.mktemp("mtfl")
    return write_mtfl(folder, training=24, testing=6, size=120)


@pytest.fixture(scope="session")
def crops(mtfl_folder):
    """The training faces of `mtfl_folder`, cropped."""
    from rcn_keras.data.crops import load_crops
    from rcn_keras.data.mtfl import read_mtfl

    return load_crops(read_mtfl(mtfl_folder, "training"))
