"""Names that are imported when they are first asked for (PEP 562)."""

import importlib
import importlib.util


def lazily(package, public=None):
    """The `__getattr__` of a package whose modules, and names, come when asked for.

    Args:
        package: str, the package's `__name__`.
        public: dict, name to the module below the package that defines it, or `None`.

    Returns:
        function of a name; it raises `AttributeError` where there is no such name.
    """

    def attribute(name):
        if public and name in public:
            module = importlib.import_module(f"{package}.{public[name]}")
            return getattr(module, name)
        if importlib.util.find_spec(f"{package}.{name}") is not None:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return attribute
