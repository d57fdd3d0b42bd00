"""Any number of photographs by an exported model, on Apache Beam."""

from rcn_keras._lazy import lazily

__getattr__ = lazily(__name__)
