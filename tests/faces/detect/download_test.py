import contextlib
import hashlib
import http.server
import re
import socket
import threading

import pytest

from rcn_keras.cli import main
from rcn_keras.errors import InputError
from rcn_keras.faces.detect import download

DATA = bytes(range(256)) * 400
DIGEST = hashlib.sha256(DATA).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `DATA`, by ranges, as the server's `mode` says."""

    def do_GET(self):
        mode, wanted = self.server.mode, self.headers.get("Range")
        self.server.ranges.append(wanted)
        if mode == "refused":
            return self.send_error(403)
        start = 0
        if wanted and mode != "no ranges":
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        if start >= len(DATA):
            return self.send_error(416)
        data = DATA[start:] if mode != "other file" else b"x" * 1000
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:50_000] if mode == "truncated" else data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.mode, server.ranges = "whole", []
    server.url = f"http://127.0.0.1:{server.server_port}/yunet.onnx"
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_whole_with_its_progress(server, tmp_path):
    counts = []
    path = tmp_path / "cache" / "model.onnx"
    download.download(server.url, path, DIGEST, lambda *count: counts.append(count))
    assert path.read_bytes() == DATA
    assert names(path.parent) == ["model.onnx"]
    assert counts[-1] == (len(DATA), len(DATA)) and len(counts) > 3
    assert counts == sorted(counts)


def test_a_truncated_file_is_kept_aside_and_the_rest_fetched_next_time(
    server, tmp_path
):
    path = tmp_path / "model.onnx"
    server.mode = "truncated"
    with pytest.raises(InputError, match="ended after 50000 of 102400 bytes"):
        download.download(server.url, path, DIGEST)
    assert names(tmp_path) == ["model.onnx.part"]
    server.mode = "whole"
    counts = []
    download.download(server.url, path, DIGEST, lambda *count: counts.append(count))
    assert path.read_bytes() == DATA and names(tmp_path) == ["model.onnx"]
    assert server.ranges == [None, "bytes=50000-"]
    assert counts[0][0] > 50_000 and counts[-1] == (102_400, 102_400)


def test_a_server_without_ranges_sends_all_of_it_again(server, tmp_path):
    (tmp_path / "model.onnx.part").write_bytes(b"what was fetched before")
    server.mode = "no ranges"
    download.download(server.url, tmp_path / "model.onnx", DIGEST)
    assert (tmp_path / "model.onnx").read_bytes() == DATA


def test_what_was_fetched_to_its_end_needs_no_more(server, tmp_path):
    (tmp_path / "model.onnx.part").write_bytes(DATA)
    download.download(server.url, tmp_path / "model.onnx", DIGEST)
    assert (tmp_path / "model.onnx").read_bytes() == DATA


@pytest.mark.parametrize("part", [None, DATA + b"more"])
def test_a_wrong_checksum_leaves_nothing_and_an_old_file_as_it_was(
    server, tmp_path, part
):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    if part:
        (tmp_path / "model.onnx.part").write_bytes(part)
    else:
        server.mode = "other file"
    with pytest.raises(InputError, match=f"SHA-256 {DIGEST}. Received: [0-9a-f]+"):
        download.download(server.url, path, DIGEST)
    assert names(tmp_path) == ["model.onnx"] and path.read_bytes() == b"old"


def test_a_refusal_is_one_line(server, tmp_path):
    server.mode = "refused"
    with pytest.raises(InputError, match=r"refused \(403 Forbidden\)$"):
        download.download(server.url, tmp_path / "model.onnx", DIGEST)
    assert names(tmp_path) == []


def test_a_server_that_hangs_up_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            with contextlib.closing(listener.accept()[0]):
                pass

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/model.onnx"
        with pytest.raises(InputError, match="cannot be fetched"):
            download.download(url, tmp_path / "model.onnx", DIGEST)
        thread.join()


@pytest.mark.parametrize("url", ["file:///etc/hosts", "model.onnx", ""])
def test_other_urls_are_refused(url, tmp_path):
    with pytest.raises(InputError, match=f"must be http or https. Received: {url}"):
        download.download(url, tmp_path / "model.onnx", DIGEST)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RCN_KERAS_YUNET", raising=False)
    monkeypatch.setattr(download, "SHA256", DIGEST)
    return tmp_path / "rcn_keras"


def test_the_command_fetches_once_and_prints_the_path(server, cache, capsys):
    command = ["download", "yunet", "--url", server.url]
    for _ in range(2):
        assert main(command) == 0
        assert capsys.readouterr() == (f"{cache / download.FILE}\n", "")
    assert len(server.ranges) == 1
    assert download.yunet_file() == cache / download.FILE
    (cache / download.FILE).write_bytes(b"damaged")
    assert main(command) == 0
    assert "it is replaced" in capsys.readouterr().err
    assert (cache / download.FILE).read_bytes() == DATA


def test_the_command_offline_is_one_line_and_exit_code_2(cache, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # closed now: nobody listens there
    assert main(["download", "yunet", "--url", f"http://127.0.0.1:{port}/x"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"{port}/x: cannot be fetched" in error
    assert "refused" in error and download.yunet_file() is None


def test_without_the_variable_of_caches_it_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".cache" / "rcn_keras" / download.FILE
    assert download.cached_file() == expected
