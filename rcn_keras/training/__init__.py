"""Recipes, and what trains them and makes presets of them."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
