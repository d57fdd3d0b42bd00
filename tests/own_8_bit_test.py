import numpy as np
import own_8_bit
import pytest

from rcn_keras.data.batches import input_images


def test_what_8_bits_cost_is_against_the_first_runtime(crops):
    _, true = input_images(crops)

    def runtime(moved):
        """Answers batch after batch with the truth, moved."""
        starts = iter(range(0, len(true), own_8_bit.BATCH))

        def run(images):
            start = next(starts)
            return true[start : start + len(images)] + moved

        return run

    runtimes = {"Keras": runtime([0.0, 0.0]), "8 bits": runtime([3.0, 4.0])}
    first, second = own_8_bit.measurements(runtimes, crops)
    assert (first["subpixel_nme"], first["from_keras_largest"]) == (0, 0)
    assert second["from_keras_mean"] == pytest.approx(5, abs=1e-3)
    eyes = np.linalg.norm(true[:, 0] - true[:, 1], axis=1)
    assert second["subpixel_nme"] == pytest.approx((500 / eyes).mean(), abs=1e-3)
    assert (first["keypoints_below_2"], second["keypoints_below_2"]) == (5, 0)
