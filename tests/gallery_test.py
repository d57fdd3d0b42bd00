import pathlib
import re

from take_pictures import FOLDER, PICTURES, picture


def test_pictures_are_those_of_the_notebooks():
    for name, (notebook, call) in PICTURES.items():
        # Not the bytes themselves: where CI is set, pytest takes hours to show in what
        # two pictures differ.
        same = (FOLDER / name).read_bytes() == picture(notebook, call)
        assert same, f"{name}: python docs/take_pictures.py"


def test_the_gallery_shows_them():
    text = pathlib.Path("docs/gallery.md").read_text()
    assert re.findall(r"!\[.+\]\((.+)\)", text) == list(PICTURES)
    for notebook, _ in PICTURES.values():
        assert f"../notebooks/{notebook}.ipynb" in text
