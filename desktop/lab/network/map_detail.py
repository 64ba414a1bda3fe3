"""Computes how one map of a stage comes about: its inputs, kernels, and what each of them adds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from desktop.lab.convolution.window import SlidingWindow
from desktop.lab.network.activations import Activations
from desktop.lab.network.stage import JOINING, Stage, StageKind, Values

# Inputs of a map that are shown.
SHOWN_INPUTS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class MapDetail:
    """A map, and the inputs that it is computed from.

    Attributes:
        number: Number of the stage.
        index: Number of the map.
        values: float32 (height, width).
        inputs: The maps that are read, float32 (n, height, width); a unit is a map of 1 × 1.
        numbers: The numbers of these maps among all inputs of the map, int (n,).
        count: Number of all inputs of the map.
        kernels: float32 (n, side, side); None for stages without weights.
        parts: What each input adds to the map, float32 (n, height, width); None for stages without weights.
        bias: What is added at the end.
        factor: What a normalization multiplies with; None for other stages.
    """

    number: int
    index: int
    values: Values
    inputs: Values
    numbers: npt.NDArray[np.intp]
    count: int
    kernels: Values | None = None
    parts: Values | None = None
    bias: float = 0.0
    factor: float | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Numbers of the stage and the map."""
        return self.number, self.index


def explain_map(
    activations: Activations, number: int, index: int, *, before: MapDetail | None = None
) -> MapDetail:
    """Return how a map is computed.

    Args:
        activations: What the network computed.
        number: Number of the stage.
        index: Number of the map.
        before: The last detail; if it is of the same map, the inputs keep their order.

    Returns:
        The inputs that add most come first.
    """
    stage = activations.network.stages[number]
    values = activations.maps(number)[index]
    kept = before.numbers if before is not None and before.key == (number, index) else None
    if stage.kind is StageKind.CONVOLUTION and stage.weights is not None and stage.windows:
        return _convolution(activations, number, index, kept)
    if stage.kind is StageKind.DENSE and stage.weights is not None:
        return _dense(activations, number, index, kept)
    inputs, factor, bias = _single_inputs(activations, stage, number, index), None, 0.0
    if stage.kind is StageKind.NORMALIZATION and stage.weights is not None and stage.bias is not None:
        factor, bias = float(stage.weights[index]), float(stage.bias[index])
    return MapDetail(
        number=number, index=index, values=values, inputs=inputs, numbers=np.arange(len(inputs)),
        count=len(inputs), bias=bias, factor=factor,
    )  # fmt: skip


def convolution_parts(
    planes: Values, kernels: Values, window: SlidingWindow, size: tuple[int, int]
) -> Values:
    """Convolve each plane with its own kernel.

    Args:
        planes: float32 (depth, height, width).
        kernels: float32 (depth, side, side).
        window: The window of the convolution; its padding is that above and to the left.
        size: Height and width of the output.

    Returns:
        float32 (depth, height, width).
    """
    stride, dilation, extent = window.stride, window.dilation, window.extent
    ends = [
        max((length - 1) * stride + extent - have - window.padding, 0)
        for length, have in zip(size, planes.shape[1:], strict=True)
    ]
    padded = np.pad(planes, ((0, 0), (window.padding, ends[0]), (window.padding, ends[1])))
    views = sliding_window_view(padded, (extent, extent), axis=(1, 2))
    views = views[:, : size[0] * stride : stride, : size[1] * stride : stride, ::dilation, ::dilation]
    parts: Values = np.einsum("dijkl,dkl->dij", views, kernels, optimize=True)
    return parts


def _convolution(
    activations: Activations, number: int, index: int, kept: npt.NDArray[np.intp] | None
) -> MapDetail:
    stage = activations.network.stages[number]
    assert stage.weights is not None
    planes, values = activations.read(number), activations.maps(number)[index]
    depth = stage.weights.shape[1]
    first = index // (len(stage.weights) // stage.groups) * depth
    kernels = stage.weights[index]
    height, width = values.shape
    parts = convolution_parts(planes[first : first + depth], kernels, stage.windows[-1], (height, width))
    order = _strongest(parts) if kept is None else kept - first
    return MapDetail(
        number=number, index=index, values=values, inputs=planes[first + order], numbers=first + order,
        count=depth, kernels=kernels[order], parts=parts[order], bias=_bias(stage, index),
    )  # fmt: skip


def _dense(activations: Activations, number: int, index: int, kept: npt.NDArray[np.intp] | None) -> MapDetail:
    stage = activations.network.stages[number]
    assert stage.weights is not None
    inputs = activations.read(number).ravel()[:, None, None]
    kernels = stage.weights[:, index, None, None]
    parts = inputs * kernels
    order = _strongest(parts) if kept is None else kept
    return MapDetail(
        number=number, index=index, values=activations.maps(number)[index], inputs=inputs[order],
        numbers=order, count=len(inputs), kernels=kernels[order], parts=parts[order],
        bias=_bias(stage, index),
    )  # fmt: skip


def _single_inputs(activations: Activations, stage: Stage, number: int, index: int) -> Values:
    """Return what a stage reads map by map: the map of the same number, or all numbers of the scores."""
    if stage.kind is StageKind.INPUT:
        return np.empty((0, 1, 1), dtype=np.float32)
    if stage.kind is StageKind.SCORES:
        return activations.logits[:, None, None]
    if stage.kind in JOINING:
        return np.stack([maps[min(index, len(maps) - 1)] for maps in map(activations.maps, stage.sources)])
    read = activations.read(number)
    return (read[:, None, None] if read.ndim == 1 else read)[index : index + 1]


def _strongest(parts: Values) -> npt.NDArray[np.intp]:
    """Return the numbers of the parts with the largest sums of magnitudes, the largest first."""
    return np.argsort(-np.abs(parts).sum(axis=(1, 2)), kind="stable")[:SHOWN_INPUTS]


def _bias(stage: Stage, index: int) -> float:
    return 0.0 if stage.bias is None else float(stage.bias[index])
