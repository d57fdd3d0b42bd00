"""Pages of the reference, made from docstrings when the site is built.

The first has the package's own names, `rcn_keras.__all__`; then comes a page for each
room, a package or module directly under `rcn_keras`, but for the command line.
"""

import pathlib

from mkdocs.structure.files import File

import rcn_keras

PACKAGE = pathlib.Path(rcn_keras.__file__).parent
LEFT_OUT = ("cli", "reproduction")
OPTIONS = """
    options:
      show_root_heading: true
"""


def on_config(config):
    """Puts the pages into the navigation; called by MkDocs."""
    entry = next(item for item in config.nav if "Reference" in item)
    entry["Reference"] = [{title: path} for path, (title, _) in pages().items()]


def on_files(files, config):
    """Adds the pages to the site; called by MkDocs."""
    for path, (_, text) in pages().items():
        files.append(File.generated(config, path, content=text))


def pages():
    """Path of each page to its title and its text."""
    names = (f"rcn_keras.{name}" for name in rcn_keras.__all__)
    made = {"reference/index.md": ("rcn_keras", _page("rcn_keras", names))}
    for room in sorted(PACKAGE.iterdir()):
        name = room.stem
        if name.startswith((".", "_")) or name in LEFT_OUT:
            continue
        if room.suffix == ".py" or (room / "__init__.py").is_file():
            title = f"rcn_keras.{name}"
            made[f"reference/{name}.md"] = (title, _page(title, _modules(room)))
    return made


def _modules(room):
    """Dotted names of the modules of a room, itself first."""
    files = [room] if room.suffix == ".py" else sorted(room.rglob("*.py"))
    for file in files:
        parts = ["rcn_keras", *file.relative_to(PACKAGE).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        if not any(part.startswith("_") for part in parts):
            yield ".".join(parts)


def _page(title, names):
    return f"# {title}\n\n" + "\n".join(f"::: {name}{OPTIONS}" for name in names)
