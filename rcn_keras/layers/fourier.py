"""A 2-D convolution as a product of Fourier transforms, in real matrix products.

A transform is a product with a matrix of cosines and sines: at about a hundred cells
no slower than an FFT on a CPU, and the channels need not be transposed to and fro for
it. It also takes any length, is differentiated into products of the same kind, and
leaves only MatMul, Reshape and the like in an exported graph.

Rows go first, from real to half a spectrum (the other half is its conjugate), then
columns, from complex to complex. Real and imaginary parts lie next to each other along
the axis that a matrix is multiplied to.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from rcn_keras._types import Shape, Tensor


def transform_kernel(kernel: Tensor, height: int, width: int) -> Tensor:
    """Transform of a convolution's kernel.

    Args:
        kernel: `(kernel_height, kernel_width, C, filters)` float32.
        height, width: ints, size of the maps it will be convolved with.

    Returns:
        `(F, 2C, filters)` float32: F frequencies; real parts of all C channels, then
        the imaginary ones.
    """
    x = kernel
    for operation, argument in kernel_steps(kernel.shape, height, width):
        x = (
            ops.reshape(x, argument)
            if operation == "Reshape"
            else ops.matmul(argument, x)
        )
    return x


def kernel_steps(shape: Shape, height: int, width: int) -> list[tuple[str, Any]]:
    """What makes the transform of a kernel, one step after the other.

    Args:
        shape: `(kernel_height, kernel_width, C, filters)`.
        height, width: ints, size of the maps it will be convolved with.

    Returns:
        list of `("Reshape", shape)` and of `("MatMul", matrix)`, a float32 array to be
        multiplied from the left.
    """
    kernel_height, kernel_width, channels, filters = shape
    return [
        ("Reshape", (kernel_height, -1)),
        (
            "MatMul",
            _half_spectrum(_length(height, kernel_height), _taps(kernel_height)),
        ),
        ("Reshape", (-1, 2 * kernel_width, channels * filters)),
        ("MatMul", _full_spectrum(_length(width, kernel_width), _taps(kernel_width))),
        ("Reshape", (-1, 2 * channels, filters)),
    ]


def convolve(maps: Tensor, transform: Tensor, kernel_size: Sequence[int]) -> Tensor:
    """Convolution of stride 1 and "same" padding, as `keras.ops.conv`.

    Args:
        maps: `(N, H, W, C)` float32; H and W fixed.
        transform: `(F, 2C, filters)` float32, by `transform_kernel`.
        kernel_size: `(kernel_height, kernel_width)`.

    Returns:
        `(N, H, W, filters)` float32.
    """
    _, height, width, channels = maps.shape
    tall, wide = _length(height, kernel_size[0]), _length(width, kernel_size[1])
    half = tall // 2 + 1

    x = ops.reshape(maps, (-1, height, width * channels))
    x = ops.matmul(_half_spectrum(tall, range(height)), x)
    x = ops.reshape(x, (-1, half, 2 * width, channels))
    x = ops.matmul(_two_rows(wide, range(width)), x)
    x = ops.reshape(x, (-1, half, 2, 2 * wide * channels))
    x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, half * wide, 2 * channels))
    return _multiplied(x, transform, (height, width), kernel_size)


def convolve_peaks(
    x: Tensor,
    y: Tensor,
    size: Sequence[int],
    transform: Tensor,
    kernel_size: Sequence[int],
) -> Tensor:
    """`convolve` of maps with a 1 in one cell each, which are never drawn: of such a
    map the transform is a wave.

    Args:
        x, y: `(N, C)` int32, column and row of the cell of each map.
        size: height and width of the maps.
        transform, kernel_size: as those of `convolve`.

    Returns:
        `(N, H, W, filters)` float32.
    """
    height, width = size
    tall, wide = _length(height, kernel_size[0]), _length(width, kernel_size[1])
    # Phases in turns, by frequency and cell. Shifted by a quarter turn, a cosine is a
    # sine: so both rows of `_multiplied` are cosines, [a, -b] and [b, a].
    down = np.outer(np.arange(tall // 2 + 1), np.arange(height)) / tall
    across = np.outer(np.arange(wide), np.arange(width)) / wide
    across = across[:, None] + np.array([[0, -0.25], [0.25, 0]])[:, None, :, None]
    cos_down, sin_down = _waves_at(down[None, :, None, None], y)
    cos_across, sin_across = _waves_at(across[:, None], x)
    waves = cos_down * cos_across - sin_down * sin_across
    waves = ops.reshape(waves, (-1, *transform.shape[:2]))
    return _multiplied(waves, transform, size, kernel_size)


def _waves_at(turns, cells):
    """Cosine and sine of turns `(row, down, across, part, W)` at the cells `(N, C)`:
    `(N, row, down, across, part, C)`."""
    # By an index for each value: they come in this order, and nothing is transposed.
    starts = np.arange(0, turns.size, turns.shape[4], dtype="int32")
    index = starts.reshape(*turns.shape[:4], 1) + cells[:, None, None, None, None]
    angles = 2 * np.pi * turns.reshape(-1)
    waves = np.cos(angles), np.sin(angles)
    return [ops.take(wave.astype("float32"), index) for wave in waves]


def _multiplied(x, transform, size, kernel_size):
    """The convolution of which `x` is the maps' transform.

    (a + bi)(c + di): rows [a, -b] and [b, a], both times [c, d], so that the kernel's
    transform, by far the largest array, is read once and never copied.

    Args:
        x: `(2N, F, 2C)`, both rows of each face.
        transform, size, kernel_size: as those of `convolve_peaks`.
    """
    height, width = size
    tall, wide = _length(height, kernel_size[0]), _length(width, kernel_size[1])
    half, filters = tall // 2 + 1, transform.shape[2]
    x = ops.matmul(ops.transpose(x, (1, 0, 2)), transform)
    x = ops.reshape(ops.transpose(x, (1, 0, 2)), (-1, 2, half, wide * filters))
    x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, half, 2 * wide, filters))
    x = ops.matmul(_from_full_spectrum(wide, range(width)), x)
    x = ops.reshape(x, (-1, 2 * half, width * filters))
    x = ops.matmul(_from_half_spectrum(tall, range(height)), x)
    return ops.reshape(x, (-1, height, width, filters))


def _length(size, kernel_size):
    """Length of a transform: the least at which what wraps around misses the map."""
    return size + kernel_size // 2


def _taps(kernel_size):
    """Positions of a kernel's taps: a convolution layer is a cross-correlation."""
    first = (kernel_size - 1) // 2
    return range(first, first - kernel_size, -1)


def _waves(length, frequencies, positions):
    angles = np.outer(np.arange(frequencies), positions) * (2 * np.pi / length)
    return np.cos(angles), np.sin(angles)


@functools.cache
def _half_spectrum(length, positions):
    """`(2 * half, P)`, real to half a spectrum; rows (frequency, part)."""
    cos, sin = _waves(length, length // 2 + 1, positions)
    matrix = np.stack([cos, -sin], axis=1)
    return matrix.reshape(-1, len(positions)).astype("float32")


@functools.cache
def _full_spectrum(length, positions):
    """`(2 * length, 2 * P)`; rows (frequency, part), columns (part, position)."""
    cos, sin = _waves(length, length, positions)
    matrix = np.stack([np.hstack([cos, sin]), np.hstack([-sin, cos])], axis=1)
    return matrix.reshape(2 * length, -1).astype("float32")


@functools.cache
def _two_rows(length, positions):
    """`(4 * length, 2 * P)`: of `_full_spectrum`'s real and imaginary parts a and b the
    rows that `_multiplied` takes, (row, frequency, part)."""
    a, b = _full_spectrum(length, positions).reshape(length, 2, -1).transpose(1, 0, 2)
    rows = np.stack([np.stack([a, -b], axis=1), np.stack([b, a], axis=1)])
    return rows.reshape(4 * length, -1)


@functools.cache
def _from_full_spectrum(length, positions):
    """`(2 * P, 2 * length)`, back to complex; rows (part, position), columns (part,
    frequency)."""
    forward = _full_spectrum(length, positions).reshape(length, 2, -1)
    return forward.transpose(2, 1, 0).reshape(-1, 2 * length) / length


@functools.cache
def _from_half_spectrum(length, positions):
    """`(P, 2 * half)`, back to real: what has a conjugate counts twice."""
    frequency = np.repeat(np.arange(length // 2 + 1), 2)
    count = np.where((frequency == 0) | (2 * frequency == length), 1, 2)
    return _half_spectrum(length, positions).T * (count / length).astype("float32")
