import numpy as np
import pytest
from PIL import Image

from rcn_keras.bulk.faces_graph import FacesGraph
from rcn_keras.bulk.finder import BulkFinder
from rcn_keras.bulk.run import _read

BOX = [4, 4, 40, 40]


class Failing(FacesGraph):
    """As a graph that fails for a whole batch in which one picture is."""

    def run(self, rows, model):
        if any(len(picture) < 300 for picture, _ in rows):
            raise RuntimeError("the graph\nfails")
        yield from super().run(rows, model)


def picture(path, size, value=90):
    Image.fromarray(np.full((size, size, 3), value, "uint8")).save(path)
    return str(path)


@pytest.fixture
def paths(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 50, 3)).astype("uint8")
    found = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.roll(noise, number, 0)).save(path)
        found.append(str(path))
    return found


def by_name(answers):
    found = {answer["image"]: answer for answer in answers}
    assert len(found) == len(answers)
    return found


def test_what_the_graph_fails_for_is_found_out(saved_model_folder, tmp_path, paths):
    flat = picture(tmp_path / "flat.png", 50)
    records = [{"image": path, "boxes": [BOX, BOX]} for path in [*paths, flat]]
    finder = BulkFinder(Failing(saved_model_folder / "1"), None, _read)
    found = by_name(list(finder.answers(records)))
    assert found.pop(flat)["error"] == "RuntimeError: the graph fails"
    assert sorted(found) == paths
    whole = BulkFinder(FacesGraph(saved_model_folder / "1"), None, _read)
    assert found == by_name(list(whole.answers(records[:-1])))
    assert all(len(answer["faces"]) == 2 for answer in found.values())


@pytest.mark.parametrize("limits", [{"max_batch_size": 2}, {"max_bytes": 10_000}])
def test_photographs_wait_for_each_other_no_longer_than_needed(
    saved_model_folder, paths, limits
):
    handler = FacesGraph(saved_model_folder / "1", **limits)
    records = [{"image": path, "boxes": [BOX]} for path in paths]
    answers = BulkFinder(handler, None, _read).answers(records)
    next(answers)
    records[2]["boxes"] = []  # Not opened yet.
    assert [len(answer["faces"]) for answer in answers] == [1, 0, 1, 1]


def test_any_failure_is_an_answer(saved_model_folder, tmp_path, paths):
    def detector(image):
        if image.shape[0] == 50:
            return [BOX, [9, 9, 9, 9]], [0.75, 0.5]
        raise KeyError("lost")

    odd = picture(tmp_path / "odd.png", 30)
    records = [{"image": path, "boxes": None} for path in [*paths, odd, "missing.png"]]
    records.append({"image": "known.png", "error": "known.png: bad before"})
    records.append({"image": paths[0] + "/x", "boxes": [[90, 90, 99, 99]]})
    finder = BulkFinder(FacesGraph(saved_model_folder / "1"), detector, _read)
    found = by_name(list(finder.answers(records)))
    assert found[odd]["error"] == "KeyError: 'lost'"
    assert found["known.png"]["error"] == "bad before"
    assert "No such file" in found["missing.png"]["error"]
    assert found[paths[0] + "/x"]["error"].startswith("NotADirectoryError")
    (face,) = found[paths[0]]["faces"]  # The other box is a point.
    assert face["box"] == BOX and face["score"] == 0.75
