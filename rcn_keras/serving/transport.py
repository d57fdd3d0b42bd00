"""The two protocols of a TensorFlow model server: one request each, one answer.

Failures differ by type and give the reason in a few words: `ConnectionError`
where no server can be reached or it is not ready, `TimeoutError`, and `InputError` for
what it refuses.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import urllib.parse
from collections.abc import Sequence
from typing import Any

import numpy as np

from rcn_keras.errors import InputError

# `DataType` of TensorFlow's tensor message.
_FLOAT, _INT32, _UINT8, _STRING = 1, 3, 4, 7


def connect(address: str) -> Grpc | Rest:
    """The protocol for an address.

    Args:
        address: str, `HOST:PORT` (gRPC) or `http://HOST:PORT` or `https://...` (REST).

    Raises:
        InputError: for any other.
        ImportError: for gRPC without its packages.
    """
    rest = address.startswith(("http://", "https://"))
    try:
        parts = urllib.parse.urlsplit(address if rest else f"//{address}")
        port = parts.port
    except ValueError:  # a port that is no number
        parts, port = None, None
    if parts and re.fullmatch(r"[\w.:-]+", parts.hostname or ""):
        if rest:
            return Rest(parts)
        if port and not parts.path:
            return Grpc(address)
    raise InputError(
        "the server's address must be HOST:PORT (gRPC, 8500 by default) or "
        f"http://HOST:PORT (REST, 8501 by default). Received: {address}"
    )


class Grpc:
    """gRPC, without TLS, by the messages that TensorFlow Serving publishes."""

    def __init__(self, address: str):
        try:
            import grpc

            # These import TensorFlow, for a tensor's message; no more of it is used.
            from tensorflow_serving.apis import predict_pb2 as messages
            from tensorflow_serving.apis import prediction_service_pb2_grpc as service
        except ImportError as error:
            raise ImportError(
                "gRPC needs `tensorflow-serving-api`: pip install '.[serving]' "
                "(REST, http://HOST:PORT, needs no more than is here)"
            ) from error
        self._grpc, self._messages = grpc, messages
        options = [
            # The client bounds what it sends; maps of 68 points are more than 4 MiB.
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.enable_http_proxy", 0),
            # A retry must try again, and not repeat the error of the failure before.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 100),
        ]
        self._service = service.PredictionServiceStub(
            grpc.insecure_channel(address, options)
        )

    def predict(
        self,
        model: str,
        version: int | None,
        signature: str,
        inputs: dict[str, Any],
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, np.ndarray]:
        """One call of a signature.

        Args:
            model, signature: strs.
            version: int, or `None` for the server's choice.
            inputs: dict, name to an array (float32 or uint8) or a list of bytes.
            outputs: names of what is wanted: `image_index` int32, all others float32.
            timeout: float, seconds.

        Returns:
            dict, name to array; without what the server does not give.
        """
        request = self._messages.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
        for name, value in inputs.items():
            _fill(request.inputs[name], value)
        try:
            answer = self._service.Predict(request, timeout=timeout)
        except self._grpc.RpcError as error:
            code, codes = error.code(), self._grpc.StatusCode
            reason = f"{code.name}: {error.details()}"
            if code == codes.UNAVAILABLE:
                raise ConnectionError(reason) from None
            if code == codes.DEADLINE_EXCEEDED:
                raise TimeoutError(reason) from None
            raise InputError(reason) from None
        tensors = {
            name: answer.outputs[name] for name in outputs if name in answer.outputs
        }
        return {name: _array(name, tensor) for name, tensor in tensors.items()}


class Rest:
    """JSON over HTTP, by the standard library; one connection a request."""

    def __init__(self, parts: urllib.parse.SplitResult):
        tls = parts.scheme == "https"
        self._connection = (
            http.client.HTTPSConnection if tls else http.client.HTTPConnection
        )
        self._host, self._port = parts.hostname or "", parts.port
        self._prefix = parts.path.rstrip("/")

    def predict(
        self,
        model: str,
        version: int | None,
        signature: str,
        inputs: dict[str, Any],
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, np.ndarray]:
        """See `Grpc.predict`; the time is that of each step, to connect, to send and to
        wait."""
        path = f"{self._prefix}/v1/models/{urllib.parse.quote(model, safe='')}"
        if version is not None:
            path += f"/versions/{version}"
        rows = zip(*([_plain(row) for row in value] for value in inputs.values()))
        body = {
            "signature_name": signature,
            "instances": [dict(zip(inputs, row)) for row in rows],
        }
        status, text = self._post(f"{path}:predict", json.dumps(body), timeout)
        if status == 200:
            return _columns(text, outputs)
        reason = f"HTTP {status}: {_error(text)}"
        if status == 503:
            raise ConnectionError(reason)
        if status == 504:
            raise TimeoutError(reason)
        raise InputError(reason)

    def _post(self, path, body, timeout):
        connection = self._connection(self._host, self._port, timeout=timeout)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", path, body.encode(), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (ConnectionError, TimeoutError):
            raise
        except (OSError, UnicodeError, http.client.IncompleteRead) as error:
            # No such host, TLS that fails, an answer that breaks off.
            raise ConnectionError(str(error)) from None
        except http.client.HTTPException as error:
            raise InputError(f"no HTTP is spoken there ({error!r})") from None
        finally:
            connection.close()


def _fill(tensor, value):
    """Writes an array, or a list of bytes, into a tensor message."""
    if isinstance(value, list):
        tensor.dtype = _STRING
        tensor.string_val.extend(value)
        shape = [len(value)]
    else:
        tensor.dtype = {"float32": _FLOAT, "uint8": _UINT8}[value.dtype.name]
        tensor.tensor_content = value.tobytes()
        shape = value.shape
    for size in shape:
        tensor.tensor_shape.dim.add().size = size


def _array(name, tensor):
    """The array of a tensor message."""
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    whole = name == "image_index"
    try:
        if tensor.dtype != (_INT32 if whole else _FLOAT):
            raise ValueError
        kind, values = ("<i4", tensor.int_val) if whole else ("<f4", tensor.float_val)
        if tensor.tensor_content:
            return np.frombuffer(tensor.tensor_content, kind).reshape(shape)
        values = np.array(values, kind)
        if len(values) == 1:  # One stands for all.
            return np.full(shape, values[0])
        return values.reshape(shape)
    except ValueError:
        raise InputError(
            f"the answer's {name!r} is no {'int32' if whole else 'float32'} tensor of "
            f"its shape, {shape}"
        ) from None


def _plain(value):
    """A row of an input as what JSON can hold."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return value.tolist()


def _columns(text, outputs):
    """The arrays of a REST answer; its `NaN` is what Python reads too."""
    try:
        rows = json.loads(text)["predictions"]
        return {
            name: np.array([row[name] for row in rows], "float32")
            for name in outputs
            if name in rows[0]
        }
    except (ValueError, TypeError, LookupError):
        raise InputError(
            f"the answer is not that of a model server: {_start(text)}"
        ) from None


def _error(text):
    """The server's own words for what is wrong."""
    try:
        return json.loads(text)["error"]
    except (ValueError, TypeError, LookupError):
        return _start(text)


def _start(text):
    return repr(text[:100].decode(errors="replace"))
