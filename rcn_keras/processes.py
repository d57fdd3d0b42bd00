"""Whether a network may run in this process."""

import os

from rcn_keras.errors import InputError

_first_user = None  # the process that used a network first


def check_not_forked() -> None:
    """To be called before a network runs, and when one is prepared to.

    Raises:
        InputError: in a process that was forked from one that has used a network. The
            threads of TensorFlow and JAX are not copied by a fork: a call would wait
            for them for ever.
    """
    global _first_user
    _first_user = _first_user or os.getpid()
    if os.getpid() != _first_user:
        raise InputError(
            "this process was forked from one that had used a network, whose threads "
            "it lacks: start processes by multiprocessing's 'spawn' or 'forkserver', "
            "or use networks only after the fork"
        )
