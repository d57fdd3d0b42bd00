import logging

from rcn_keras.export import onnx_file


def test_logging_that_was_off_before_a_file_is_quantized_stays_off():
    logging.disable(logging.WARNING)
    try:
        with onnx_file._silent():
            assert logging.root.manager.disable == logging.CRITICAL
        assert logging.root.manager.disable == logging.WARNING
    finally:
        logging.disable(logging.NOTSET)
