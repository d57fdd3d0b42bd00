"""An exported model under load, by the C++ loader that TensorFlow Serving uses.

Clients are threads, each of which sends a request of one row when the one before is
answered. Without batching each request is a call of the graph; with it, as a server
with `saved_models/batching.config` does it, rows wait up to 2 ms for others, 64 at
most, in 4 threads that run batches. (A server does not batch `photographs` itself, as
rows of faces are not rows of pictures; here they are divided among the requests again.)

One request in 20 is poisoned: a JPEG cut short, text, or a box that is none. The others
must be answered as if it were not there: `largest_difference_pixels`, from the answers
of each request alone. Memory is that of the process after a tenth of
`--memory-requests` requests of 8 clients and after all of them; both kinds of rows are
in the same file.
"""

import contextlib
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

import common
import cv2
import numpy as np
from saved_model_session import SavedModelSession

from rcn_keras.faces.images import read_image

PHOTO = common.RESULTS.parent / "examples/astronaut.jpg"
BOX = np.array([180, 65, 265, 172], "float64")
POISON = 20  # one request of so many
BATCH, WAIT, RUNNERS = 64, 0.002, 4  # as saved_models/batching.config
CLIENTS = (1, 2, 4, 8)


def main():
    parser = common.parser(__doc__, "python benchmarks/serving_load.py", data=False)
    common.count_option(parser, "--requests", 400, "of each row, after 40 to warm up")
    common.count_option(parser, "--memory-requests", 10000, "of each memory row")
    parser.add_argument("--preset", default="rcn6_mtfl")
    parser.add_argument(
        "--quiet-machine", action="store_true", help="nothing else runs: note that"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export(options.preset, folder)
        with SavedModelSession(pathlib.Path(folder) / "1") as session:
            rows = list(measured(session, options))
    for row in rows:
        row["preset"] = options.preset
        row["machine"] = "quiet" if options.quiet_machine else "not quiet"
    print(common.markdown(rows))
    common.write_rows(options.results / "serving_load.csv", rows)


def export(preset, folder):
    """In a process of its own: this one is to hold no Python TensorFlow."""
    command = [sys.executable, "-m", "rcn_keras", "export", preset, folder]
    command += ["--detector", "mtcnn"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measured(session, options):
    for signature in ("faces", "photographs"):
        requests = examples(signature)
        expected = [call(session, signature, [request])[0] for request in requests]
        for batching in (False, True):
            for clients in CLIENTS:
                count = options.requests
                row = {"signature": signature, "batching": "yes" if batching else "no"}
                load = Load(session, signature, batching, requests, expected)
                load.run(clients, max(count // 10, clients))
                load = Load(session, signature, batching, requests, expected)
                yield row | load.run(clients, count)
                common.say(f"{signature}, batching {batching}, {clients} clients")
        row = {"signature": signature, "batching": "yes"}
        count = options.memory_requests
        load = Load(session, signature, True, requests, expected)
        load.run(CLIENTS[-1], max(count // 10, 1))
        before = resident()
        figures = load.run(CLIENTS[-1], max(count - count // 10, 1))
        figures["memory_mb_at_a_tenth"] = f"{before:.0f}"
        figures["memory_mb_at_the_end"] = f"{resident():.0f}"
        yield row | figures


def examples(signature):
    """20 requests, the last of them poisoned, each a tuple of a row's inputs."""
    photograph, requests = read_image(PHOTO), []
    for number in range(POISON):
        scale = 0.5 + number / POISON
        size = round(512 * scale)
        image = cv2.resize(photograph, (size, size), interpolation=cv2.INTER_AREA)
        if signature == "photographs" and number % 4 == 3:  # A group.
            image = np.concatenate([image, image[:, ::-1]], axis=1)
        coded = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]))[1]
        data, box = coded.tobytes(), (BOX * scale).astype("float32")
        requests.append((data,) if signature == "photographs" else (data, box))
    return requests


def poisoned(request, number):
    kind = number // POISON % (len(request) + 1)
    if kind == 2:
        return request[0], np.array([9, 9, 3, np.nan], "float32")
    return (request[0][: len(request[0]) // 2] if kind else b"text", *request[1:])


def call(session, signature, requests):
    """The answers to requests, in one call of the graph: keypoints and confidence."""
    names = ("image_bytes", "boxes")
    columns = dict(zip(names, zip(*requests)))
    columns["image_bytes"] = np.array(columns["image_bytes"], "object")
    if "boxes" in columns:
        columns["boxes"] = np.stack(columns["boxes"])
    found = session.run(signature, **columns)
    rows = np.arange(len(requests))
    index = found.get("image_index", rows)
    parts = [index == row for row in rows]
    return [(found["keypoints"][part], found["confidence"][part]) for part in parts]


class Load:
    """Clients, and perhaps a batcher, of one signature.

    Args:
        session: `SavedModelSession`.
        signature: str.
        batching: bool.
        requests, expected: what is sent in turn, and the answers to each alone.
    """

    def __init__(self, session, signature, batching, requests, expected):
        self._call = lambda rows: call(session, signature, rows)
        self._batching = batching
        self._requests, self._expected = requests, expected
        self._waiting = queue.Queue()

    def run(self, clients, count):
        """Sends so many requests; figures of them."""
        numbers, lock = iter(range(count)), threading.Lock()
        latencies, differences, faults = [], [], []

        def client():
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    latency, difference = self._ask(number)
                except Exception as error:  # Of the graph: raised when all have ended.
                    faults.append(error)
                    return
                latencies.append(latency)
                differences.append(difference)

        start = time.perf_counter()
        with self._batcher():
            threads = [threading.Thread(target=client) for _ in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        seconds = time.perf_counter() - start
        if faults:
            raise faults[0]
        p50, p95, p99 = 1000 * np.percentile(latencies, [50, 95, 99])
        return {
            "clients": clients,
            "requests": count,
            "requests_per_second": f"{count / seconds:.1f}",
            "p50_ms": f"{p50:.1f}",
            "p95_ms": f"{p95:.1f}",
            "p99_ms": f"{p99:.1f}",
            "poisoned": count // POISON,
            "largest_difference_pixels": f"{max(differences):.4f}",
            "memory_mb_at_a_tenth": "",
            "memory_mb_at_the_end": "",
        }

    def _ask(self, number):
        """Seconds, and how far the answer is from that of the request alone."""
        request = self._requests[number % POISON]
        bad = number % POISON == POISON - 1
        if bad:
            request = poisoned(request, number)
        start = time.perf_counter()
        keypoints, confidence = self._answer(request)
        seconds = time.perf_counter() - start
        if bad:
            if confidence.any():
                raise ValueError("a poisoned request has an answer")
            return seconds, 0.0
        wanted, _ = self._expected[number % POISON]
        if keypoints.shape != wanted.shape:
            raise ValueError(f"{len(keypoints)} faces in place of {len(wanted)}")
        return seconds, float(np.abs(keypoints - wanted).max(initial=0))

    def _answer(self, request):
        if not self._batching:
            return self._call([request])[0]
        answer = queue.Queue()
        self._waiting.put((request, answer))
        found = answer.get()
        if isinstance(found, Exception):
            raise found
        return found

    @contextlib.contextmanager
    def _batcher(self):
        count = RUNNERS if self._batching else 0
        threads = [threading.Thread(target=self._run_batches) for _ in range(count)]
        for thread in threads:
            thread.start()
        yield
        for _ in threads:
            self._waiting.put(None)
        for thread in threads:
            thread.join()

    def _run_batches(self):
        while (first := self._waiting.get()) is not None:
            batch, end = [first], time.perf_counter() + WAIT
            while len(batch) < BATCH:
                try:
                    left = max(end - time.perf_counter(), 0)
                    another = self._waiting.get(timeout=left)
                except queue.Empty:
                    break
                if another is None:
                    self._waiting.put(None)  # For another of these threads, or this.
                    break
                batch.append(another)
            requests, answers = zip(*batch)
            try:
                found = self._call(requests)
            except Exception as error:
                found = [error] * len(batch)
            for answer, each in zip(answers, found):
                answer.put(each)


def resident():
    """Memory of this process, MB."""
    pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    common.run(main)
