"""Runs a SavedModel by the C++ loader of TensorFlow Serving: no TensorFlow in Python.

    python benchmarks/saved_model_session.py FOLDER REQUESTS.npz ANSWERS.npz

Loads the folder through the C API of `libtensorflow_cc`, which TensorFlow's wheel
holds, runs every request and writes the answers. Importing `tensorflow`, `keras` or
`rcn_keras` is an error in that process: the folder must need none of them.

Both files hold arrays named `CASE/SIGNATURE/NAME`. An array of strings, which may end
in any byte, stands there as two: `NAME:lengths` (int64, of the array's shape) and
`NAME:bytes` (uint8, all of them one after the other).
"""

import argparse
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parent))  # `python -I` leaves it out.

import c_api

REFUSED = ("tensorflow", "keras", "rcn_keras")


class SavedModelSession:
    """A SavedModel in a `tensorflow::Session`, as TensorFlow Serving holds it.

    Args:
        folder: str or path of the folder that holds `saved_model.pb`.

    Attributes:
        signatures: `{signature: {"inputs": {name: (tensor, dtype, shape)}, "outputs":
            ...}}`; a shape is a tuple with None for any size, or None for any rank.

    Raises:
        RuntimeError: with TensorFlow's message, if the folder cannot be loaded.
    """

    def __init__(self, folder):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self._library = library = c_api.library()
        self._graph, self._session = library.TF_NewGraph(), None
        options, meta_graph = library.TF_NewSessionOptions(), library.TF_NewBuffer()
        try:
            folder, tags = os.fsencode(folder), (ctypes.c_char_p * 1)(b"serve")
            with c_api.checked() as status:
                self._session = library.TF_LoadSessionFromSavedModel(
                    options, None, folder, tags, 1, self._graph, meta_graph, status
                )
            found = c_api.Buffer.from_address(meta_graph)
            self.signatures = c_api.read_signatures(
                ctypes.string_at(found.data, found.length)
            )
        except BaseException:
            self.close()
            raise
        finally:
            library.TF_DeleteSessionOptions(options)
            library.TF_DeleteBuffer(meta_graph)

    def run(self, signature, /, **inputs):
        """Answers one request; several threads may ask at once.

        Args:
            signature: str.
            inputs: arrays, or lists, under the names of the signature's inputs; strings
                as bytes.

        Returns:
            `{name: array}` of the signature's outputs; strings as object arrays.

        Raises:
            ValueError: if there is no such signature, its inputs are others, or the
                session is closed.
            RuntimeError: with TensorFlow's message, if the graph fails.
        """
        if self._session is None:
            raise ValueError("the session is closed")
        if signature not in self.signatures:
            raise ValueError(
                f"signature must be one of {sorted(self.signatures)}. "
                f"Received: {signature!r}"
            )
        wanted, answers = self.signatures[signature].values()
        if inputs.keys() != wanted.keys():
            raise ValueError(
                f"inputs of {signature} must be {sorted(wanted)}. "
                f"Received: {sorted(inputs)}"
            )
        given = (ctypes.c_void_p * len(wanted))()
        taken = (ctypes.c_void_p * len(answers))()
        try:
            for i, (name, (_, dtype, _)) in enumerate(wanted.items()):
                given[i] = c_api.to_tensor(inputs[name], dtype)
            feeds = (self._places(wanted), given, len(wanted))
            fetches = (self._places(answers), taken, len(answers))
            with c_api.checked() as status:
                self._library.TF_SessionRun(
                    self._session, None, *feeds, *fetches, None, 0, None, status
                )
            return {
                name: c_api.to_array(tensor) for name, tensor in zip(answers, taken)
            }
        finally:
            for tensor in filter(None, taken):
                self._library.TF_DeleteTensor(tensor)
            for tensor in filter(None, given):
                c_api.delete_given(tensor)

    def _places(self, tensors):
        """The TF_Outputs of tensors by name, `operation:index`."""
        places = (c_api.Output * len(tensors))()
        for i, (tensor, _, _) in enumerate(tensors.values()):
            name, _, index = tensor.partition(":")
            places[i].index = int(index or 0)
            places[i].operation = self._library.TF_GraphOperationByName(
                self._graph, name.encode()
            )
        return places

    def close(self):
        if self._session is not None:
            with c_api.checked() as status:
                self._library.TF_CloseSession(self._session, status)
            with c_api.checked() as status:
                self._library.TF_DeleteSession(self._session, status)
        if self._graph is not None:
            self._library.TF_DeleteGraph(self._graph)
        self._session = self._graph = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def write_cases(path, cases):
    """Writes `{case: {signature: {name: array}}}`, requests or answers."""
    arrays = {}
    for case, signatures in cases.items():
        for signature, tensors in signatures.items():
            for name, value in tensors.items():
                key, array = f"{case}/{signature}/{name}", np.asarray(value)
                if array.dtype.kind not in "OS":
                    arrays[key] = array
                    continue
                array = np.asarray(value, "object")
                lengths = [len(item) for item in array.flat]
                arrays[key + ":lengths"] = np.int64(lengths).reshape(array.shape)
                arrays[key + ":bytes"] = np.frombuffer(b"".join(array.flat), "uint8")
    np.savez(path, **arrays)


def read_cases(path):
    """What `write_cases` wrote; strings as object arrays of bytes."""
    cases = {}
    with np.load(path) as arrays:
        for key in arrays:
            name, _, part = key.partition(":")
            if part == "bytes":
                continue
            case, signature, name = name.split("/")
            array = arrays[key]
            if part == "lengths":
                joined = arrays[key.removesuffix("lengths") + "bytes"].tobytes()
                lengths, array = array, np.empty(array.shape, "object")
                for i, end in enumerate(np.cumsum(lengths)):
                    array.flat[i] = joined[end - lengths.flat[i] : end]
            cases.setdefault(case, {}).setdefault(signature, {})[name] = array
    return cases


def run_in_fresh_process(folder, cases):
    """Answers of a new Python that has neither TensorFlow, Keras nor rcn_keras.

    Args:
        folder: str or path of the folder that holds `saved_model.pb`.
        cases: `{case: {signature: {input: array}}}`.

    Returns:
        `{case: {signature: {output: array}}}`.

    Raises:
        RuntimeError: with what the process wrote, if it failed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        requests, answers = pathlib.Path(temporary, "q.npz"), f"{temporary}/a.npz"
        write_cases(requests, cases)
        command = [sys.executable, "-I", __file__, folder, requests, answers]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(
                f"{folder}: exit code {ran.returncode}: {ran.stderr.strip()[-2000:]}"
            )
        return read_cases(answers)


class Refusal:
    """In `sys.meta_path`: an error for every import that the folder must not need."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ImportError(f"{name} must not be imported here")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("requests")
    parser.add_argument("answers")
    options = parser.parse_args()
    sys.meta_path.insert(0, Refusal())
    cases = read_cases(options.requests)
    with SavedModelSession(options.folder) as session:
        for signatures in cases.values():
            for signature, inputs in signatures.items():
                signatures[signature] = session.run(signature, **inputs)
    write_cases(options.answers, cases)


if __name__ == "__main__":
    main()
