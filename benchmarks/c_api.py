"""TensorFlow's C API by ctypes: the library, tensors, and a SavedModel's signatures.

Numpy and the standard library only; `saved_model_session.py` says what for.
"""

import contextlib
import ctypes
import functools
import importlib.machinery
import math
import pathlib

import numpy as np

# By the numbers of TensorFlow's types.proto. Strings are object arrays of bytes.
DTYPES = {
    1: np.dtype("float32"),
    2: np.dtype("float64"),
    3: np.dtype("int32"),
    4: np.dtype("uint8"),
    7: np.dtype("object"),
    9: np.dtype("int64"),
    10: np.dtype("bool"),
}
STRING_SIZE = 24  # sizeof(TF_TString)

# What each function returns, then what it takes.
PROTOTYPES = {
    "TF_NewStatus": "p",
    "TF_GetCode": "ip",
    "TF_Message": "sp",
    "TF_DeleteStatus": "vp",
    "TF_NewBuffer": "p",
    "TF_DeleteBuffer": "vp",
    "TF_NewGraph": "p",
    "TF_DeleteGraph": "vp",
    "TF_GraphOperationByName": "pps",
    "TF_NewSessionOptions": "p",
    "TF_DeleteSessionOptions": "vp",
    "TF_LoadSessionFromSavedModel": "pppspippp",
    "TF_SessionRun": "vppppippipipp",
    "TF_CloseSession": "vpp",
    "TF_DeleteSession": "vpp",
    "TF_AllocateTensor": "pipin",
    "TF_DeleteTensor": "vp",
    "TF_TensorType": "ip",
    "TF_NumDims": "ip",
    "TF_Dim": "lpi",
    "TF_TensorData": "pp",
    "TF_StringInit": "vp",
    "TF_StringCopy": "vpsn",
    "TF_StringGetDataPointer": "pp",
    "TF_StringGetSize": "np",
    "TF_StringDealloc": "vp",
}
TYPES = {
    "p": ctypes.c_void_p,
    "s": ctypes.c_char_p,
    "i": ctypes.c_int,
    "l": ctypes.c_int64,
    "n": ctypes.c_size_t,
    "v": None,
}


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


@functools.cache
def library():
    """`libtensorflow_cc` of TensorFlow's wheel, which is found but not imported."""
    spec = importlib.machinery.PathFinder.find_spec("tensorflow")
    if spec is None:
        raise ImportError("TensorFlow is missing: pip install tensorflow")
    folder = pathlib.Path(spec.submodule_search_locations[0])
    loaded = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"))
    for name, prototype in PROTOTYPES.items():
        function = getattr(loaded, name)
        function.restype, *function.argtypes = [TYPES[letter] for letter in prototype]
    return loaded


@contextlib.contextmanager
def checked():
    """A TF_Status for one call; RuntimeError with its message if the call failed."""
    status = library().TF_NewStatus()
    try:
        yield status
        if library().TF_GetCode(status):
            message = library().TF_Message(status)
            raise RuntimeError(message.decode(errors="replace"))
    finally:
        library().TF_DeleteStatus(status)


def to_tensor(value, dtype):
    """A new TF_Tensor; for `delete_given`."""
    # Not by way of numpy's own strings, which lose zeros at the end.
    array = np.asarray(value, "object" if dtype == "object" else None)
    array = array.astype(dtype, order="C", casting="same_kind", copy=False)
    if dtype == "object" and not all(isinstance(item, bytes) for item in array.flat):
        raise TypeError(f"strings must be bytes. Received: {value!r:.80}")
    code = next(code for code, known in DTYPES.items() if known == dtype)
    size = array.size * STRING_SIZE if dtype == "object" else array.nbytes
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    tensor = library().TF_AllocateTensor(code, shape, array.ndim, size)
    data = library().TF_TensorData(tensor)
    if dtype != "object":
        ctypes.memmove(data, array.ctypes.data, size)
        return tensor
    for i, item in enumerate(array.flat):
        library().TF_StringInit(data + i * STRING_SIZE)
        library().TF_StringCopy(data + i * STRING_SIZE, item, len(item))
    return tensor


def to_array(tensor):
    """A TF_Tensor's values, copied."""
    array = np.empty(_shape(tensor), DTYPES[library().TF_TensorType(tensor)])
    data = library().TF_TensorData(tensor)
    if array.dtype != "object":
        ctypes.memmove(array.ctypes.data, data, array.nbytes)
        return array
    for i in range(array.size):
        string = data + i * STRING_SIZE
        start = library().TF_StringGetDataPointer(string)
        array.flat[i] = ctypes.string_at(start, library().TF_StringGetSize(string))
    return array


def delete_given(tensor):
    """Frees a tensor of `to_tensor`."""
    # TensorFlow frees the strings of tensors that it makes, not of those it is given.
    if DTYPES[library().TF_TensorType(tensor)] == "object":
        data = library().TF_TensorData(tensor)
        for i in range(math.prod(_shape(tensor))):
            library().TF_StringDealloc(data + i * STRING_SIZE)
    library().TF_DeleteTensor(tensor)


def _shape(tensor):
    rank = library().TF_NumDims(tensor)
    return tuple(library().TF_Dim(tensor, i) for i in range(rank))


def read_signatures(meta_graph):
    """The signatures of a serialized MetaGraphDef.

    Returns:
        `{signature: {"inputs": {name: (tensor, dtype, shape)}, "outputs": ...}}`; a
        shape is a tuple with None for any size, or None for any rank.
    """
    signatures = {}
    entries = [
        dict(fields(value)) for number, value in fields(meta_graph) if number == 5
    ]
    for entry in entries:
        if entry[1].startswith(b"__"):  # The loader's own, which it runs itself.
            continue
        sides = {1: {}, 2: {}}
        for number, value in fields(entry[2]):
            if number in sides:
                name, tensor = dict(fields(value)).values()
                sides[number][name.decode()] = _read_tensor(dict(fields(tensor)))
        signatures[entry[1].decode()] = {"inputs": sides[1], "outputs": sides[2]}
    return signatures


def _read_tensor(info):
    """(tensor name, dtype, shape) from the fields of a TensorInfo."""
    shape = list(fields(info.get(3, b"")))
    sizes = [dict(fields(dim)).get(1, 0) for number, dim in shape if number == 2]
    sizes = tuple(None if size >= 1 << 63 else size for size in sizes)  # -1 is any.
    return info[1].decode(), DTYPES[info[2]], None if dict(shape).get(3) else sizes


def fields(message):
    """The (number, value) pairs of a serialized protobuf; values are int or bytes."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position, value = position + 1, value | (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value, position = message[position : position + size], position + size
        yield number, value
