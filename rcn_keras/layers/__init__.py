"""Keras layers: one a file, tensor in, tensor out, on any Keras backend."""

from rcn_keras.layers.branch_sum import BranchSum
from rcn_keras.layers.keypoint_decoder import KeypointDecoder
from rcn_keras.layers.keypoint_one_hot import KeypointOneHot
from rcn_keras.layers.large_kernel_conv2d import LargeKernelConv2D, inference_model
from rcn_keras.layers.local_contrast_normalization import LocalContrastNormalization
from rcn_keras.layers.peak_one_hot import PeakOneHot
from rcn_keras.layers.random_keypoint_affine import RandomKeypointAffine
from rcn_keras.layers.random_occlusion import RandomOcclusion
from rcn_keras.layers.spatial_softmax import SpatialSoftmax
from rcn_keras.layers.tiling_conv2d import TilingConv2D
from rcn_keras.layers.tiling_upsampling import TilingUpsampling2D

__all__ = [
    "BranchSum",
    "KeypointDecoder",
    "KeypointOneHot",
    "LargeKernelConv2D",
    "LocalContrastNormalization",
    "PeakOneHot",
    "RandomKeypointAffine",
    "RandomOcclusion",
    "SpatialSoftmax",
    "TilingConv2D",
    "TilingUpsampling2D",
    "inference_model",
]
