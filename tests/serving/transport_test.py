import contextlib
import re
import socket
import sys
import threading
import time
from concurrent import futures

import numpy as np
import pytest
from server_stubs import SERVERS, free_port, grpc_server, rest_server

from rcn_keras.errors import InputError
from rcn_keras.serving.client import Client


@pytest.fixture(params=SERVERS)
def server(request):
    with SERVERS[request.param]() as running:
        yield running


def test_time_out(server):
    server.delay = 3.0
    start = time.monotonic()
    with pytest.raises(TimeoutError, match="no answer within 0.2 s .*'rcn6_mtfl'"):
        Client(server.address, timeout=0.2).check()
    assert time.monotonic() - start < 3.0 and len(server.requests) == 1


def test_time_out_inside_the_server(server):
    server.faults = ["DEADLINE_EXCEEDED"]
    with pytest.raises(TimeoutError, match="no answer within 10 s"):
        Client(server.address).check()
    assert len(server.requests) == 1


@pytest.mark.parametrize("start", ["", "http://"])
def test_no_server(start):
    for address in (f"127.0.0.1:{free_port()}", "no-such-host.invalid:8500"):
        with pytest.raises(ConnectionError, match="no model server .*tried 2 times"):
            Client(start + address, retries=1).check()


def test_a_server_that_starts_late():
    address = f"127.0.0.1:{free_port()}"
    with futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(Client(address).check)
        time.sleep(0.4)
        with grpc_server(address) as server:
            waiting.result()
    assert len(server.requests) == 1


@contextlib.contextmanager
def answering(reply):
    """A server that answers anything with these bytes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.settimeout(0.1)
                        with contextlib.suppress(TimeoutError):
                            while connection.recv(2**16):
                                pass
                        connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    "reply, error, message",
    [
        (b"\0\0\0\4\0", InputError, "no HTTP is spoken there"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", InputError, "not that of a model server"),
        (b"HTTP/1.1 200 OK\r\n\r\n[1]", InputError, "not that of a model server"),
        (b"HTTP/1.1 404 No\r\n\r\n<html>", InputError, "HTTP 404: '<html>'"),
        (b"HTTP/1.1 502 Bad\r\n\r\n{}", InputError, "HTTP 502: '{}'"),
        (
            b'HTTP/1.1 200 OK\r\n\r\n{"predictions": []}',
            InputError,
            "not that of a model server",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            ConnectionError,
            "IncompleteRead",
        ),
        (b"", ConnectionError, "closed connection without response"),
    ],
)
def test_what_is_no_model_server(reply, error, message):
    with answering(reply) as port, pytest.raises(error, match=message):
        Client(f"http://127.0.0.1:{port}", retries=0).check()


def test_the_other_protocols_port():
    with grpc_server() as server, pytest.raises((InputError, ConnectionError)):
        Client(f"http://{server.address}", retries=0).check()
    with rest_server() as server, pytest.raises(ConnectionError, match="gRPC port"):
        Client(server.address.removeprefix("http://"), retries=0).check()


def test_an_answer_of_another_type():
    with grpc_server() as server:
        server.spoil = lambda answer: answer | {"confidence": np.zeros((1, 5), "int32")}
        with pytest.raises(InputError, match="'confidence' is no float32 tensor"):
            Client(server.address).check()


def test_the_other_forms_of_a_tensors_message():
    import tensorflow as tf

    forms = {"keypoints": np.arange(20, dtype="float32").reshape(2, 5, 2)}
    forms["confidence"] = np.ones((2, 5), "float32")
    packed = tf.make_tensor_proto(forms["keypoints"])
    one_for_all = tf.make_tensor_proto(1.0, shape=(2, 5))
    assert packed.tensor_content and len(one_for_all.float_val) == 1
    with grpc_server() as server:
        server.spoil = lambda _: {"keypoints": packed, "confidence": one_for_all}
        found = Client(server.address).crops(np.zeros((2, 80, 80), "uint8"))
    for name, expected in forms.items():
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize(
    "address",
    ["", "localhost", "localhost:", ":8500", "localhost:grpc", "localhost:99999"]
    + ["localhost:8500/v1", "grpc://localhost:8500", "http://", "http://h:x", "a b:1"],
)
def test_addresses_that_are_none(address):
    with pytest.raises(
        InputError, match=f"HOST:PORT .*Received: {re.escape(address)}$"
    ):
        Client(address)


def test_grpc_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"pip install '.\[serving\]'"):
        Client("localhost:8500")
    with rest_server() as server:
        Client(server.address).check()


def test_an_answer_of_more_than_grpcs_own_limit():
    crops = np.zeros((40, 80, 80), "uint8")
    with grpc_server() as server:
        found = Client(server.address, batch_size=40).heatmaps(crops)
    assert found["heatmaps"].nbytes > 5 * 10**6 and len(server.requests) == 1
