"""The exported model at work: a server's client."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
