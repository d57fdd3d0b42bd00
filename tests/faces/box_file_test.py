import json
import pathlib

import pytest

from rcn_keras.errors import InputError
from rcn_keras.faces.box_file import boxes_of, read_boxes


def test_object_and_lines_of_predict(tmp_path):
    path = tmp_path / "boxes"
    path.write_text('{"a.jpg": [[1, 2, 3, 4]], "b.jpg": []}')
    assert read_boxes(path) == {"a.jpg": [[1, 2, 3, 4]], "b.jpg": []}
    lines = [
        {"image": "x/a.jpg", "faces": [{"box": [1, 2, 3, 4]}]},
        {"image": "b.jpg", "faces": []},
    ]
    expected = {"x/a.jpg": [[1, 2, 3, 4]], "b.jpg": []}
    for count in (1, 2):
        path.write_text("\n".join(map(json.dumps, lines[:count])) + "\n")
        assert read_boxes(path) == dict(list(expected.items())[:count])


def test_by_path_or_by_name():
    boxes = {"x/a.jpg": [1], "a.jpg": [2]}
    assert boxes_of(boxes, pathlib.Path("x/a.jpg")) == [1]
    assert boxes_of(boxes, pathlib.Path("y/a.jpg")) == [2]
    with pytest.raises(InputError, match="b.jpg: no boxes"):
        boxes_of(boxes, pathlib.Path("b.jpg"))


@pytest.mark.parametrize(
    "content", ["{", "[1]", '{"a": [[1, 2]]}', '"a"', "", b"\xff\xfe"]
)
def test_anything_else(tmp_path, content):
    path = tmp_path / "boxes"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match="boxes: (expected JSON|cannot be read)"):
        read_boxes(path)
