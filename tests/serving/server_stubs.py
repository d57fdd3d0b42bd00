"""Model servers on loopback: they hold a request to the published form, record it, and
answer with arithmetic on what came, so that a row that strays shows."""

import base64
import contextlib
import http.server
import io
import json
import re
import socket
import threading
import time
from concurrent import futures

import numpy as np
from PIL import Image

INPUTS = {
    "faces": {"image_bytes", "boxes"},
    "photographs": {"image_bytes"},
    "serving_default": {"images"},
    "serving_uint8": {"images"},
    "heatmaps": {"images"},
}
HTTP = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "INTERNAL": 500, "UNAVAILABLE": 503}
HTTP["DEADLINE_EXCEEDED"] = 504


class Refused(Exception):
    """A status of gRPC's, and the words that go with it."""


class ModelServer:
    """What both protocols share.

    Attributes:
        address: str, for the client.
        requests: list of `(signature, inputs)` as they came.
        faults: list of statuses with which the next requests are answered.
        delay: float, seconds before an answer.
        spoil: function that changes an answer's dict of arrays.
    """

    def __init__(self):
        self.address = None
        self.requests = []
        self.faults = []
        self.delay = 0.0
        self.spoil = lambda answer: answer

    def answer(self, model, version, signature, inputs):
        self.requests.append((signature, inputs))
        time.sleep(self.delay)
        if self.faults:
            raise Refused(self.faults.pop(0), "as planned")
        if model != "rcn6_mtfl" or version not in (None, 1):
            wanted = "Latest" if version is None else f"Specific({version})"
            raise Refused("NOT_FOUND", f"Servable not found: {wanted}({model})")
        if signature not in INPUTS:
            raise Refused(
                "INVALID_ARGUMENT", f"Serving signature {signature} not found"
            )
        if set(inputs) != INPUTS[signature]:
            raise Refused("INVALID_ARGUMENT", f"inputs {sorted(inputs)}")
        return self.spoil(predicted(signature, inputs))


def predicted(signature, inputs):
    """The stub's network: keypoints, confidence and face score by rules that a test can
    repeat; the score is half the first confidence."""
    if signature == "faces":
        rows = [face(*row) for row in zip(inputs["image_bytes"], inputs["boxes"])]
        places, confidence = map(np.stack, zip(*rows))
        return answered(places, confidence)
    if signature == "photographs":
        return found(inputs["image_bytes"])
    images = np.asarray(inputs["images"], "float32")
    assert images.shape[1:] == (80, 80, 1)
    places = images[:, :10, 0, 0].reshape(-1, 5, 2)
    confidence = images[:, :5, 1, 0] / 255
    answer = answered(places, confidence)
    if signature == "heatmaps":
        answer["heatmaps"] = images * np.float32([1, 2, 3, 4, 5])
    return answer


def answered(places, confidence):
    face_score = confidence[:, 0] / 2
    return {"keypoints": places, "confidence": confidence, "face_score": face_score}


def found(pictures):
    """Two faces in a picture with any red, none in another; a row for what is bad."""
    columns = {"image_index": [], "boxes": [], "scores": []}
    points, confidence = [], []
    for number, data in enumerate(pictures):
        places, red = face(data, [0, 0, 1e6, 1e6])
        scores = [-1] if np.isnan(places).any() else [0.9, 0.8] if red[0] else [0]
        for score in scores:
            box = [2, 3, 4 + score, 5] if score > 0 else [0, 0, 0, 0]
            columns["image_index"].append(number)
            columns["boxes"].append(box)
            columns["scores"].append(score)
            points.append(np.tile([[box[2]], [7]], (1, 5)).T * (score > 0))
            confidence.append(red * (score > 0) if score > 0 else np.zeros(5))
    columns |= answered(points, np.array(confidence))
    kinds = {"image_index": "int32"}
    return {n: np.array(v, kinds.get(n, "float32")) for n, v in columns.items()}


def face(data, box):
    """Five points down the box's diagonal; the red inside the box as confidence."""
    x0, y0, x1, y1 = np.float32(box)
    steps = np.linspace(0, 1, 5, dtype="float32")
    places = np.stack([x0 + (x1 - x0) * steps, y0 + (y1 - y0) * steps], axis=1)
    try:
        with Image.open(io.BytesIO(data)) as opened:
            assert opened.format in ("JPEG", "PNG")
            image = np.asarray(opened.convert("RGB"))
    except OSError:
        return np.full_like(places, np.nan), np.zeros(5, "float32")
    red = image[max(int(y0), 0) : int(y1), max(int(x0), 0) : int(x1), 0].mean() / 255
    return places, np.full(5, red, "float32")


@contextlib.contextmanager
def grpc_server(address="127.0.0.1:0"):
    """`ModelServer` by gRPC, its tensors read and written by TensorFlow itself."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    server = ModelServer()

    class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            spec = request.model_spec
            version = spec.version.value if spec.HasField("version") else None
            inputs = {
                name: tf.make_ndarray(value) for name, value in request.inputs.items()
            }
            types = {name: value.dtype.name for name, value in inputs.items()}
            if "image_bytes" in inputs:
                assert types.pop("image_bytes") == "object"
                assert set(types.values()) <= {"float32"}
                inputs["image_bytes"] = inputs["image_bytes"].tolist()
            elif "images" in inputs:
                wanted = "uint8" if "uint8" in spec.signature_name else "float32"
                assert types == {"images": wanted}
            try:
                answer = server.answer(spec.name, version, spec.signature_name, inputs)
            except Refused as refused:
                name, words = refused.args
                context.abort(getattr(grpc.StatusCode, name), words)
            response = predict_pb2.PredictResponse()
            for name, value in answer.items():
                if isinstance(value, np.ndarray):
                    value = fields(value, tf)
                response.outputs[name].CopyFrom(value)
            return response

    large = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
    ]
    running = grpc.server(futures.ThreadPoolExecutor(2), options=large)
    add = prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server
    add(Servicer(), running)
    server.address = f"127.0.0.1:{running.add_insecure_port(address)}"
    running.start()
    yield server
    running.stop(None).wait()


def fields(array, tf):
    """A tensor's message with its values one by one, as TensorFlow Serving's are."""
    message = tf.make_tensor_proto(array)
    for field in ("tensor_content", "int_val", "float_val"):
        message.ClearField(field)
    values = message.int_val if array.dtype == "int32" else message.float_val
    values.extend(array.ravel().tolist())
    return message


@contextlib.contextmanager
def rest_server():
    """`ModelServer` by REST, as TensorFlow Serving documents its row format."""
    server = ModelServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status, body = 200, {"predictions": self.predictions(text)}
            except Refused as refused:
                status, body = HTTP[refused.args[0]], {"error": refused.args[1]}
            except (AssertionError, KeyError, ValueError) as error:
                status, body = 400, {"error": f"not as published: {error!r}"}
            body = json.dumps(
                body, indent=4
            ).encode()  # With bare NaN, as the server's.
            with contextlib.suppress(ConnectionError):  # The client may have given up.
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", len(body))
                self.end_headers()
                self.wfile.write(body)

        def predictions(self, text):
            form = r"/v1/models/([^/:]+)(?:/versions/(\d+))?:predict"
            model, version = re.fullmatch(form, self.path).groups()
            asked = json.loads(text)
            assert set(asked) == {"signature_name", "instances"}
            signature, rows = asked["signature_name"], asked["instances"]
            assert isinstance(signature, str) and isinstance(rows, list) and rows
            inputs = {
                name: [
                    from_json(row[name], signature == "serving_uint8") for row in rows
                ]
                for name in rows[0]
            }
            assert all(set(row) == set(inputs) for row in rows)
            version = int(version) if version else None
            answer = server.answer(model, version, signature, inputs)
            columns = [
                [value.tolist() for value in column] for column in answer.values()
            ]
            return [dict(zip(answer, row)) for row in zip(*columns)]

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield server
    running.shutdown()
    thread.join()
    running.server_close()


def from_json(value, whole):
    """One input of a row: `{"b64": ...}` is bytes, anything else numbers in lists."""
    if isinstance(value, dict):
        assert set(value) == {"b64"}
        return base64.b64decode(value["b64"], validate=True)
    array = np.array(value)
    assert array.dtype.kind in ("i" if whole else "if")
    return array


SERVERS = {"grpc": grpc_server, "rest": rest_server}
PHOTO = "examples/astronaut.jpg"
BOX = [180.0, 65.0, 265.0, 172.0]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
