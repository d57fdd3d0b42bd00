import numpy as np

from rcn_keras.data.crops import Crops
from rcn_keras.reproduction.snapping import snapped


def crops_of(picture, squares, border):
    count = len(border)
    return Crops(
        images=np.zeros((count, 160, 160, 1), "uint8"),
        keypoints=np.zeros((count, len(border[0]), 2), "float32"),
        squares=np.float32(squares),
        outer=np.tile(np.float32([0, 0, 160]), (count, 1)),
        picture=np.float32(picture),
        border=np.uint8(border),
        faces=[None] * count,
        failures=[],
        layout=None,
    )


def test_by_hand():
    # The input is the crop's 10...130: the photograph spans 5...70 by 10...80 in it.
    # In the second crop there is nothing beyond the photograph.
    picture = [[[17.5, 25], [115, 999]], [[-50, -60], [300, 400]]]
    crops = crops_of(
        picture, [[10, 10, 120], [20, 30, 80]], [[0, 1, 2, 4, 8, 3, 12, 0], [0] * 8]
    )
    predicted = np.tile([[40.0, 50.0]], (2, 8, 1))
    predicted[:, 7] = [3, 79.5]
    predicted[1, 0] = [-2, 90]
    found = snapped(predicted, crops)
    expected = [[40, 50], [5, 50], [40, 10], [70, 50], [40, 80], [5, 10], [70, 80]]
    np.testing.assert_allclose(found[0], [*expected, [5, 79.5]], atol=1e-5)
    np.testing.assert_allclose(found[1, 0], [0, 80])
    np.testing.assert_array_equal(found[1, 1:], predicted[1, 1:])
    assert predicted[0, 1].tolist() == [40, 50]  # Not changed in place.
