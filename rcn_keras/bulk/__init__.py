"""Any number of photographs by an exported model, on Apache Beam."""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__)
