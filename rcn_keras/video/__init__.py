"""Videos and cameras: faces found, tracked by their own points, and smoothed.

Example:
    >>> for frame in rcn_keras.video.track("film.mp4"):
    ...     for face in frame.faces:
    ...         print(frame.seconds, face.id, face.keypoints)
"""

from rcn_keras.video.file import Video, VideoFile
from rcn_keras.video.smoothing import OneEuroFilter
from rcn_keras.video.tracking import Frame, TrackedFace, Tracker, track

__all__ = [
    "Frame",
    "OneEuroFilter",
    "TrackedFace",
    "Tracker",
    "Video",
    "VideoFile",
    "track",
]
