"""`py.typed` promises types: every public function and method has them."""

import ast
import pathlib

import pytest

import rcn_keras

PACKAGE = pathlib.Path(rcn_keras.__file__).parent
# Names that Python or Keras calls; what calls them knows their types.
CALLED = ("__init__", "__call__", "__iter__")


def is_public(name):
    return not name.startswith("_")


def modules():
    """The files of the modules that can be imported by a public name, and `_types`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if all(is_public(part) or part == "__init__" for part in parts):
            yield path


def functions(body, prefix=""):
    """The public functions and methods of a module or class, with their full names."""
    for node in body:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            yield from functions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            is_public(node.name) or (prefix and node.name in CALLED)
        ):
            yield f"{prefix}{node.name}", node


def lacking(function):
    """The parameters without a type, and `return`."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += filter(None, (arguments.vararg, arguments.kwarg))
    names = [each.arg for each in every if each.annotation is None]
    names = [name for name in names if name not in ("self", "cls")]
    if function.returns is None and function.name != "__init__":
        names.append("return")
    return names


def untyped(source):
    return {
        name: names
        for name, function in functions(ast.parse(source).body)
        if (names := lacking(function))
    }


def test_every_public_function_and_method_is_annotated():
    found = {
        f"{path.relative_to(PACKAGE)}: {name}": names
        for path in modules()
        for name, names in untyped(path.read_text(encoding="utf-8")).items()
    }
    assert not found


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x: int, *more) -> int: ...", {"f": ["more"]}),
        ("def f(*, x) -> int: ...", {"f": ["x"]}),
        ("def f(): ...", {"f": ["return"]}),
        ("def _f(x): ...", {}),
        ("class A:\n def f(self, x: int): ...", {"A.f": ["return"]}),
        ("class A:\n def __init__(self, x): ...", {"A.__init__": ["x"]}),
        ("class _A:\n def f(self, x): ...", {}),
    ],
)
def test_what_is_not_annotated_is_noticed(source, names):
    assert untyped(source) == names
