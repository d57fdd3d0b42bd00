"""What only the paper's own numbers need: its tables, and the original's snapping."""

from rcn_keras._lazy import lazily

__getattr__ = lazily(__name__)
