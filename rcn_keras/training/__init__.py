"""Recipes, and what trains them and makes presets of them."""

from rcn_keras._lazy import lazily

__getattr__ = lazily(__name__)
