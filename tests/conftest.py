import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as `rcn-keras` itself does

import keras
import pytest

collect_ignore = []
if shutil.which("tensorflow_model_server") is None:
    collect_ignore.append("serving/model_server_test.py")

# Under another backend: not what is TensorFlow itself (`tf.data`, MTCNN, which the
# command line uses), and not what runs no Keras at all.
if keras.backend.backend() != "tensorflow":
    collect_ignore += [
        "benchmarks_test.py",
        "bulk",
        "cli/cli_test.py",
        "cli/own_data_test.py",
        "data/afw_test.py",
        "data/pipeline_test.py",
        "data/points_file_test.py",
        "data/synthetic_test.py",
        "data/three_hundred_w_test.py",
        "export",
        "faces/detect/mtcnn_test.py",
        "faces/images_test.py",
        "gallery_test.py",
        "main_test.py",
        "notebooks_test.py",
        "plotting_test.py",
        "reproduction",
        "runtime/runtime_test.py",
        "saved_models_test.py",
        "serving/client_test.py",
        "serving/model_server_test.py",
        "serving/pictures_test.py",
        "serving/predict_test.py",
        "serving/saved_model_session_test.py",
        "serving/server_finder_test.py",
        "serving/transport_test.py",
    ]


@pytest.fixture(scope="session")
def mtfl_folder(tmp_path_factory):
    """A drawn MTFL of 24 training and 6 testing faces."""
    from rcn_keras.data.synthetic import write_mtfl

    folder = tmp_path_factory.mktemp("mtfl")
    return write_mtfl(folder, training=24, testing=6, size=120)


@pytest.fixture(scope="session")
def three_hundred_w_folder(tmp_path_factory):
    """A drawn 300-W of 4 faces in each of its folders: 12 to train, 12 to test."""
    from rcn_keras.data.synthetic import write_300w

    return write_300w(tmp_path_factory.mktemp("300w"), per_set=4)


@pytest.fixture(scope="session")
def crops(mtfl_folder):
    """The training faces of `mtfl_folder`, cropped."""
    from rcn_keras.data.crops import load_crops
    from rcn_keras.data.mtfl import read_mtfl
    from rcn_keras.layout import FACE_5

    return load_crops(read_mtfl(mtfl_folder, "training"), FACE_5)


@pytest.fixture(scope="session")
def rcn_saved_model(tmp_path_factory):
    """`rcn6_mtfl` exported with a detector: the folder of its version 1."""
    import rcn_keras

    return rcn_keras.export_model(
        "rcn6_mtfl", tmp_path_factory.mktemp("exported"), detector="mtcnn"
    )
