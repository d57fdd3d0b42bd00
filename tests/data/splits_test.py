import numpy as np
import pytest

from rcn_keras.data.splits import split


@pytest.mark.parametrize(
    "count, held_out, first, last",
    [
        (10000, 1000, [4600, 8841, 6105, 6800, 298], [7669, 7118, 1766, 4895, 229]),
        (3148, 314, [2258, 1928, 1175, 2500, 3115], [280, 1766, 799, 685, 229]),
    ],
)
def test_the_originals_split(count, held_out, first, last):
    training, validation = split(count)
    assert (len(training), len(validation)) == (count - held_out, held_out)
    assert training[:5].tolist() == first and validation[-5:].tolist() == last
    both = np.sort(np.concatenate([training, validation]))
    np.testing.assert_array_equal(both, np.arange(count))


def test_small_sets():
    assert [len(part) for part in split(10)] == [9, 1]
    with pytest.raises(ValueError, match="at least 10 faces. Received: count=9"):
        split(9)
