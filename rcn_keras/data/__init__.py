"""Annotated faces: readers, splits, crops and batches."""

from rcn_keras._lazy import lazily

__getattr__ = lazily(__name__)
