"""Names that are imported when they are first asked for (PEP 562)."""

import ast
import importlib
import importlib.util
import pathlib
import sys
from collections.abc import Callable
from typing import Any


def lazily(
    package: str, file: str | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """What makes the names and modules of a package come when asked for.

    Args:
        package: str, the package's `__name__`.
        file: str, its `__file__`, beside which a stub `__init__.pyi` imports its names.
            So one list serves type checkers, editors and Python. `None` for a package
            of modules only.

    Returns:
        `__getattr__`, `__dir__` and `__all__` of the package.
    """
    modules = {} if file is None else _imported(pathlib.Path(file).with_suffix(".pyi"))

    def attribute(name: str) -> Any:
        if name in modules:
            return getattr(importlib.import_module(modules[name]), name)
        if importlib.util.find_spec(f"{package}.{name}") is not None:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def directory() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return attribute, directory, sorted(modules)


def _imported(stub: pathlib.Path) -> dict[str, str]:
    """The names that a stub imports of this package, with the module of each."""
    return {
        name.name: str(statement.module)
        for statement in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.ImportFrom)
        and str(statement.module).startswith("rcn_keras.")
        for name in statement.names
    }
