"""Keypoints on photographs, maps over faces, and the curves of training and evaluation.

Every `plot_` function returns a `matplotlib.figure.Figure` of its own, made without
pyplot, and saves it where `save=` is given, in the format of its suffix. The colours
are those of Okabe and Ito, which colour-blind readers can distinguish. Errors come
as fractions of the interocular distance and are shown in percent.

Names are imported when they are first asked for: drawing needs neither Keras nor
matplotlib.
"""

from rcn_keras._lazy import lazily

__getattr__, __dir__, __all__ = lazily(__name__, __file__)
