"""Contenders that take turns against the clock."""

import dataclasses
import os
import time
from collections.abc import Callable

import common
import numpy as np


@dataclasses.dataclass(frozen=True)
class Contender:
    """Something to time: `run()` does the work of `count` faces or photographs,
    `warm()` a little of it, which is not timed: before each turn the memory of a
    contender has not been touched for minutes."""

    name: str | tuple
    batch: int | str
    count: float
    run: Callable
    threads: int
    errors: dict = dataclasses.field(default_factory=dict)
    warm: Callable = lambda: None


def in_batches(name, batch, count, step, threads, errors=None):
    """`step(slice)` over whole batches of `count` things; one of them to warm up."""
    starts = range(0, count - count % batch, batch)

    def warm():
        step(slice(0, batch))

    def run():
        for start in starts:
            step(slice(start, start + batch))

    count = batch * len(starts)
    return Contender(name, batch, count, run, threads, errors or {}, warm)


def timed(contenders, rounds):
    """Milliseconds a thing, `(rounds, contenders)`; they take turns, to and fro."""
    milliseconds = np.zeros((rounds, len(contenders)))
    for turn in range(rounds):
        order = range(len(contenders))
        for i in order if turn % 2 == 0 else reversed(order):
            contenders[i].warm()
            start = time.perf_counter()
            contenders[i].run()
            elapsed = time.perf_counter() - start
            milliseconds[turn, i] = 1000 * elapsed / contenders[i].count
        common.say(f"{turn + 1}/{rounds} rounds")
    return milliseconds


def fix_cores(count):
    """Keeps this process, and those it starts, to so many cores.

    Runtimes that are left to choose take as many threads as there are cores.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    return len(os.sched_getaffinity(0))
