"""Defines the examples of the lecture that the page of a convolution offers."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from desktop.lab.convolution.layer import Values


class ExampleName(Enum):
    """The examples, in the order in which they are offered."""

    EDGES = "edges"
    ALEXNET = "alexnet"
    DILATED = "dilated"
    DEPTHWISE_SEPARABLE = "depthwise separable"
    BOTTLENECK = "bottleneck"
    GREY = "grey"


@dataclass(frozen=True, eq=False, kw_only=True)
class Example:
    """The settings of an example.

    Attributes:
        size: Side of the kernels.
        filters: Number of filters.
        stride: Stride.
        same: Whether the padding keeps the size.
        dilation: Dilation.
        depthwise: Whether the convolution is depthwise.
        pointwise: Maps of the 1 × 1 convolution that follows; 0 for none.
        picture_size: Side of the colour picture that is the input; None for any input.
        weights: Weights of the filters, float32 (filters, depth, side, side); the default ones if None.
    """

    size: int = 3
    filters: int = 1
    stride: int = 1
    same: bool = False
    dilation: int = 1
    depthwise: bool = False
    pointwise: int = 0
    picture_size: int | None = None
    weights: Values | None = None


def _luma() -> Values:
    """Return the weights of red, green and blue in the grey of ITU-R BT.601."""
    return np.array([0.299, 0.587, 0.114], dtype=np.float32).reshape(1, 3, 1, 1)


EXAMPLES = {
    ExampleName.EDGES: Example(),
    # Krizhevsky et al. 2012: 96 filters of 11 × 11 × 3 with stride 4 on 227 × 227 pixels give 55 × 55.
    ExampleName.ALEXNET: Example(size=11, filters=96, stride=4, picture_size=227),
    ExampleName.DILATED: Example(dilation=2, same=True),
    # Howard et al. 2017 (MobileNet): one filter for each slice, then 1 × 1.
    ExampleName.DEPTHWISE_SEPARABLE: Example(
        filters=1, depthwise=True, same=True, pointwise=8, picture_size=64
    ),
    # Szegedy et al. 2014 (Inception): few maps on the way to the next layer.
    ExampleName.BOTTLENECK: Example(filters=32, same=True, pointwise=4, picture_size=64),
    ExampleName.GREY: Example(size=1, picture_size=64, weights=_luma()),
}
