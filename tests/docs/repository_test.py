import types

import pytest
import repository


@pytest.mark.parametrize(
    "page, link, expected",
    [
        ("gallery.md", "[01](../notebooks/01.ipynb)", "`notebooks/01.ipynb`"),
        ("guides/a.md", "[b](../demo.md)", "[b](../demo.md)"),
        ("guides/a.md", "[a c](../../examples/c.md)", "a c (`examples/c.md`)"),
    ],
)
def test_only_links_out_of_the_pages_become_paths(page, link, expected):
    page = types.SimpleNamespace(file=types.SimpleNamespace(src_uri=page))
    assert repository.on_page_markdown(link, page, None, None) == expected
