"""Networks as files for other runtimes: `export_model` in `formats`."""

from rcn_keras._lazy import lazily

__getattr__ = lazily(__name__)
