import pickle

from rcn_keras.errors import InputError


def test_the_message_is_one_line_whatever_it_quotes():
    error = InputError("a\nb.jpg: boxes must be (M, 4). Received: [[0]\r\n [1]]")
    assert str(error) == "a b.jpg: boxes must be (M, 4). Received: [[0]  [1]]"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
