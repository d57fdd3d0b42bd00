"""Annotated faces: readers, splits, crops and batches."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
