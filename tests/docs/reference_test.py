import reference

import rcn_keras


def test_the_first_page_has_every_public_name():
    _, text = reference.pages()["reference/index.md"]
    assert all(f"::: rcn_keras.{name}\n" in text for name in rcn_keras.__all__)


def test_a_room_has_a_page_with_its_modules_and_no_private_one():
    pages = reference.pages()
    assert "::: rcn_keras.faces.boxes\n" in pages["reference/faces.md"][1]
    assert "::: rcn_keras.codec\n" in pages["reference/codec.md"][1]
    assert "reference/cli.md" not in pages
    assert not any("._" in text for _, text in pages.values())
