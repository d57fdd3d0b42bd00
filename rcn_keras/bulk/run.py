"""Faces and keypoints of any number of photographs, on any Apache Beam runner.

The sorted photographs are cut into shards. A shard is one element of the pipeline, and
its answers are on disk as soon as it is done; a run that was stopped resumes
with the shards that are missing.
"""

import contextlib
import dataclasses
import json
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from rcn_keras._types import DetectorChoice, Echo, PathLike, Progress
from rcn_keras.bulk import storage
from rcn_keras.bulk.beam import FacesModelHandler, apache_beam
from rcn_keras.bulk.finder import BulkFinder
from rcn_keras.bulk.plan import PHOTOGRAPHS, keep, make_plan, version_folder
from rcn_keras.bulk.shards import Shards
from rcn_keras.errors import InputError

SUMMARY = "summary.json"
LOCAL = "DirectRunner"
PATIENCE = 20  # seconds for a run to end by itself after a failure


def run_bulk(
    input_glob: PathLike,
    output: PathLike,
    saved_model: PathLike,
    pipeline_arguments: Sequence[str] = (),
    shard_size: int | None = None,
    detector: DetectorChoice = None,
    boxes: PathLike | None = None,
    runner: str = LOCAL,
    workers: int = 1,
    progress: Progress | None = None,
    report: Echo = lambda line: None,
) -> dict[str, Any]:
    """Answers every photograph that matches, in files in `output`.

    `faces-00003-of-00020.jsonl` holds one line a photograph, as `rcn-keras predict`
    prints it; `failed-00003-of-00020.jsonl` those that could not be used, `image` and
    `error`. Called again after a stop, it does what is not done.

    Args:
        input_glob: str, `photos/*.jpg`, `gs://bucket/**.png`; a local folder stands for
            images in it.
        output: str, a folder.
        saved_model: str, the folder of an exported model, or of one version of it.
        pipeline_arguments: Beam's options, `["--project=...", ...]`.
        shard_size: int, photographs in a shard: what a stop may lose. `None`: a
            sixteenth of them, 100 at most.
        detector: as that of `Predictor`.
        boxes: path of a file of boxes (`faces.box_file`), instead of a detector.
        runner: str, Beam's name of a runner.
        workers: int, processes on this machine, for the local runner.
        progress: callable `(shards done, shards)`, called now and then while the local
            runner works.
        report: function that gets a line on how many files are no photographs, if any.

    Returns:
        dict, also written as `summary.json`: `photographs`, `faces`, `failed`,
        `left_from_earlier` (photographs answered before this call), `seconds` and
        `photographs_per_second` of this call.

    Raises:
        InputError: for an argument that cannot be used, and where `output` holds the
            answers of another plan.
    """
    started = time.monotonic()
    output = str(output).rstrip("/")
    if set(output) & set("*?["):
        raise InputError(f"{output}: the output must be a folder's name, no pattern")
    if workers < 1 or (shard_size is not None and shard_size < 1):
        raise InputError(
            "the size of a shard and the number of workers must be at least 1. "
            f"Received: {shard_size} and {workers}"
        )
    pipeline = _pipeline(runner, workers, list(pipeline_arguments))
    handler = FacesModelHandler(version_folder(str(saved_model)))
    plan, listing = make_plan(
        str(input_glob), output, handler.folder, shard_size, detector, boxes, report
    )
    keep(plan, listing, output)
    shards = Shards(output, plan["photographs"], plan["shard_size"])
    earlier = shards.finished()
    missing = [number for number in range(shards.count) if number not in earlier]
    if missing:
        work = AnswerShards(shards, handler, detector)
        pipeline | apache_beam.Create(missing) | apache_beam.ParDo(work)
        _finish(pipeline, shards, progress if runner == LOCAL else None)
    counts = shards.counts()
    if not missing and storage.exists(f"{output}/{SUMMARY}"):
        return json.loads(storage.read(f"{output}/{SUMMARY}"))  # of the work itself
    left = sum(len(shards.rows(number)) for number in earlier)
    seconds = time.monotonic() - started
    summary = counts | {
        "left_from_earlier": left,
        "seconds": round(seconds, 1),
        "photographs_per_second": round((shards.photographs - left) / seconds, 2),
    }
    storage.write(f"{output}/{SUMMARY}", json.dumps(summary, indent=2) + "\n")
    return summary


class AnswerShards(apache_beam.DoFn):
    """Takes the numbers of shards, and leaves their files."""

    def __init__(
        self, shards: Shards, handler: FacesModelHandler, detector: DetectorChoice
    ):
        self._shards = shards
        self._handler = handler
        self._detector = detector
        # Beam's own imports load `utils`; pyright does not see it.
        self._shared = apache_beam.utils.shared.Shared()  # pyright: ignore[reportAttributeAccessIssue]

    def setup(self) -> None:
        self._worker = self._shared.acquire(self._load)

    def process(self, number: int) -> None:
        # A runner may bring a shard again, after a failure elsewhere.
        if not self._shards.is_finished(number):
            lines = [self._worker.lines[row] for row in self._shards.rows(number)]
            answers = self._worker.finder.answers([json.loads(line) for line in lines])
            self._shards.write(number, answers)

    def _load(self):
        lines = storage.read(f"{self._shards.folder}/{PHOTOGRAPHS}").splitlines()
        finder = BulkFinder(self._handler, self._detector, _read)
        return _Worker(finder, lines)


def _read(record):
    return storage.read(record["image"])


@dataclasses.dataclass
class _Worker:
    """What the threads of a process share."""

    finder: BulkFinder
    lines: list


def _pipeline(runner, workers, arguments):
    from apache_beam.options.pipeline_options import PipelineOptions

    if runner == LOCAL:
        mode = "multi_processing" if workers > 1 else "in_memory"
        own = [f"--direct_num_workers={workers}", f"--direct_running_mode={mode}"]
        # There are no triggers. But with unsafe ones Beam stays with its Python runner,
        # where it would else download another.
        arguments = [*own, "--allow_unsafe_triggers", *arguments]
        known = PipelineOptions([]).get_all_options()
        given = PipelineOptions(arguments).get_all_options(retain_unknown_options=True)
        if unknown := sorted(set(given) - set(known)):
            raise InputError(f"unknown options: {', '.join(unknown)}")
    elif workers != 1:
        raise InputError(
            f"the number of workers is for {LOCAL}; {runner} has its own options"
        )
    try:
        return apache_beam.Pipeline(runner, options=PipelineOptions(arguments))
    except ValueError as error:
        raise InputError(str(error)) from None


def _finish(pipeline, shards, progress):
    """Runs a pipeline to its end; a thread reports the progress meanwhile."""
    finished = threading.Event()

    def report():
        while progress and not finished.wait(2):
            progress(len(shards.finished()), shards.count)

    reporter = threading.Thread(target=report)
    reporter.start()
    try:
        with _alive_workers():
            state = pipeline.run().wait_until_finish()
    except Exception as error:  # Its text may hold a worker's whole traceback.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise RuntimeError(f"the pipeline failed: {lines[-1]}") from error
    finally:
        finished.set()
        reporter.join()
    if state != "DONE":
        raise RuntimeError(f"the pipeline ended as {state}")
    if progress:
        progress(shards.count, shards.count)


@contextlib.contextmanager
def _alive_workers():
    """Raises where Beam's local runner would wait for ever: for a process that died.

    A dead process shows only as a thread that fails; a signal then interrupts the main
    thread, which waits, unless it ends by itself.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "pthread_kill"):
        yield
        return

    main_thread = threading.get_ident()

    def died(*_):
        raise RuntimeError(
            "a worker process died, perhaps out of memory. Finished shards are kept: "
            "start again, with fewer workers"
        )

    def interrupt():
        signal.pthread_kill(main_thread, signal.SIGUSR1)

    timers = []

    def failed(_):
        if not timers:
            timers.append(threading.Timer(PATIENCE, interrupt))
            timers[0].start()

    hook, handler = threading.excepthook, signal.signal(signal.SIGUSR1, died)
    threading.excepthook = failed
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        threading.excepthook = hook
        signal.signal(signal.SIGUSR1, handler)
