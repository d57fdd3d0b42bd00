"""Annotated faces: readers, splits, crops and batches."""
