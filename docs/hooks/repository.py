"""What the pages take from the repository outside `docs/`.

Pictures of `examples/` become files of the site. A link to any other file out there is
of use on a code host only: here its path stands in its place, after the
text of the link unless that is the file's name.
"""

import pathlib
import re

from mkdocs.structure.files import File

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)\)")


def on_files(files, config):
    """Adds the pictures to the site; called by MkDocs."""
    for path in sorted(EXAMPLES.glob("*.jpg")):
        files.append(
            File(
                f"examples/{path.name}",
                str(EXAMPLES.parent),
                config.site_dir,
                config.use_directory_urls,
            )
        )


def on_page_markdown(markdown, page, config, files):
    """Replaces links out of `docs/`; called by MkDocs."""
    folder = pathlib.PurePosixPath(page.file.src_uri).parent

    def replaced(match):
        ups = match[0].count("../")
        if ups <= len(folder.parts):
            return match[0]  # to another page
        path = pathlib.PurePosixPath(match[2])
        return f"`{path}`" if match[1] == path.stem else f"{match[1]} (`{path}`)"

    return OUTSIDE.sub(replaced, markdown)
