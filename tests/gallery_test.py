import pathlib
import re

from take_pictures import DIAGRAMS, FOLDER, PICTURES, picture


def test_pictures_are_those_of_the_notebooks():
    for name, (notebook, call) in PICTURES.items():
        # Not the bytes themselves: where CI is set, pytest takes hours to show in what
        # two pictures differ.
        same = (FOLDER / name).read_bytes() == picture(notebook, call)
        assert same, f"{name}: python docs/take_pictures.py"


def test_the_gallery_shows_them():
    text = pathlib.Path("docs/gallery.md").read_text()
    shown = re.findall(r"!\[.+\]\((.+)\)", text)
    assert shown == [*DIAGRAMS, *PICTURES]
    assert all((FOLDER / name).is_file() for name in shown)
    for notebook, _ in PICTURES.values():
        assert f"../notebooks/{notebook}.ipynb" in text
