"""Networks as files for other runtimes: `export_model` in `formats`."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
