"""Errors of networks, protocols and their tables."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
