"""Many photographs through a predictor: read, searched and located at the same time."""

import collections
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.predictor import FacePrediction, FoundFaces, Predictor

FACES = 32  # of one call of the network
PIXELS = 128 * 2**20  # most bytes of photographs that wait for it
READERS = 2  # threads that decode photographs and find their faces
AHEAD = 8  # photographs that they are ahead of the network


def predictions(
    predictor: Predictor, photographs: Iterable, find: Callable | None = None
) -> Iterator[tuple[np.ndarray | None, list[FacePrediction] | InputError]]:
    """What a predictor gives for each of many photographs, sooner than one by one.

    Threads decode photographs and find their faces while the network runs on the faces
    of several others at once. No more are in memory than that takes.

    Args:
        predictor: `Predictor`.
        photographs: iterable of images; a few are taken ahead of time.
        find: function of one of them to `FoundFaces`, called in threads; `None` for
            `predictor.find`.

    Yields:
        in the order of the photographs, the `(H, W, 3)` uint8 RGB picture and its
        faces; or `None` and the `InputError` of one that cannot be used.
    """
    photographs, find = iter(photographs), find or predictor.find
    with futures.ThreadPoolExecutor(READERS) as pool:
        ahead, waiting = collections.deque(), []
        while True:
            for photograph in itertools.islice(photographs, AHEAD - len(ahead)):
                ahead.append(pool.submit(find, photograph))
            if not ahead:
                break
            try:
                waiting.append(ahead.popleft().result())
            except InputError as error:
                waiting.append(error)
            if _is_full(waiting):
                yield from _located(predictor, waiting)
                waiting = []
        yield from _located(predictor, waiting)


def _is_full(waiting):
    """Whether the faces fill a call of the network, or the pictures the memory."""
    readable = [each for each in waiting if isinstance(each, FoundFaces)]
    faces = sum(len(each.boxes) for each in readable)
    return faces >= FACES or sum(each.image.nbytes for each in readable) >= PIXELS


def _located(predictor, waiting):
    """In one call; if that fails, one by one, to know whose picture it is."""
    readable = [each for each in waiting if isinstance(each, FoundFaces)]
    try:
        faces = iter(predictor.predict_found(readable))
    except InputError as error:
        if len(waiting) == 1:
            yield None, error
        else:
            for each in waiting:
                yield from _located(predictor, [each])
        return
    for each in waiting:
        if isinstance(each, FoundFaces):
            yield each.image, next(faces)
        else:
            yield None, each
