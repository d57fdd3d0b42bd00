"""What only the paper's own numbers need: its tables, and the original's snapping."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
