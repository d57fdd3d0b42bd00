import numpy as np
from layer_checks import run_layer_test

from rcn_keras.layers import KeypointOneHot


def test_one_in_the_cell_that_holds_the_keypoint(tmp_path):
    keypoints = np.array(
        [
            [[0.0, 0.0], [3.99, 2.5], [1.2, 3.0]],
            [[-0.01, 1.0], [1.0, 4.0], [np.nan, 2.0]],  # outside, outside, unknown
        ],
        "float32",
    )
    expected = np.zeros((2, 4, 4, 3))
    expected[0, 0, 0, 0] = expected[0, 2, 3, 1] = expected[0, 3, 1, 2] = 1
    out = run_layer_test(KeypointOneHot, {"size": 4}, keypoints, tmp_path)
    np.testing.assert_array_equal(out, expected)
