import pathlib
import re

from take_pictures import FOLDER, PICTURES, picture


def test_pictures_are_those_of_the_notebooks():
    for name, (notebook, call) in PICTURES.items():
        assert (FOLDER / name).read_bytes() == picture(notebook, call), name


def test_the_gallery_shows_them():
    text = pathlib.Path("docs/gallery.md").read_text()
    assert re.findall(r"!\[.+\]\((.+)\)", text) == list(PICTURES)
    for notebook, _ in PICTURES.values():
        assert f"../notebooks/{notebook}.ipynb" in text
