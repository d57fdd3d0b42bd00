"""From a photograph to the network's crop and back."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
