"""Describes the nodes of an ONNX graph as stages of a network."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from desktop.lab.convolution.window import SlidingWindow
from desktop.lab.network.stage import Function, Stage, StageKind, Values

_ACTIVATIONS = {
    "Relu": Function.RELU,
    "Elu": Function.ELU,
    "Sigmoid": Function.SIGMOID,
    "Tanh": Function.TANH,
    "Clip": Function.RELU6,
}
_POOLINGS = {"MaxPool": Function.MAXIMUM, "AveragePool": Function.MEAN}
_JOINED = {"Add": StageKind.ADDITION, "Mul": StageKind.MULTIPLICATION}
_GLOBAL_POOLINGS = {"GlobalMaxPool": Function.MAXIMUM, "GlobalAveragePool": Function.MEAN}


class StageBuilder:
    """Makes a stage of a node; knows the weights of the graph."""

    def __init__(self, constants: Mapping[str, Values], paddings: Mapping[str, int]) -> None:
        """Refer to what is known of the graph.

        Args:
            constants: The values of the tensors that do not depend on the picture, by name.
            paddings: Number of zeros that were put before the rows of a tensor, by name; 0 if there is none.
        """
        self._constants, self._paddings = constants, paddings

    def build(self, node: onnx.NodeProto, first: str, sources: tuple[int, ...]) -> Stage | None:
        """Return the stage that a node begins; None if it begins none.

        Args:
            node: The node.
            first: Name of its first input that depends on the picture.
            sources: Numbers of the stages that all such inputs belong to.
        """
        source, output = sources[0], node.output[0]
        kind = node.op_type
        if kind == "Conv":
            return self._convolution(node, source)
        if kind == "Resize":
            return Stage(
                kind=StageKind.RESIZING, output=output, input=first, sources=(source,),
                factor=self._factor(node),
            )  # fmt: skip
        if kind in _POOLINGS:
            return Stage(
                kind=StageKind.POOLING, output=output, input=first, sources=(source,),
                function=_POOLINGS[kind], windows=self._windows(node, None),
            )  # fmt: skip
        if kind in _GLOBAL_POOLINGS:
            return Stage(
                kind=StageKind.GLOBAL_POOLING, output=output, input=first, sources=(source,),
                function=_GLOBAL_POOLINGS[kind],
            )  # fmt: skip
        if kind in ("MatMul", "Gemm"):
            return self._dense(node, source)
        if source == 0:
            return None  # The scaling of the pixels.
        if kind in _ACTIVATIONS:
            return Stage(
                kind=StageKind.ACTIVATION, output=output, input=first, sources=(source,),
                function=_ACTIVATIONS[kind],
            )  # fmt: skip
        return self._elementwise(node, first, sources)

    def _convolution(self, node: onnx.NodeProto, source: int) -> Stage | None:
        weights = self._constants.get(node.input[1])
        if weights is None:
            return None
        bias = self._constants.get(node.input[2]) if len(node.input) > 2 else None
        attributes = _attributes(node)
        return Stage(
            kind=StageKind.CONVOLUTION,
            output=node.output[0],
            input=node.input[0],
            sources=(source,),
            weights=weights.astype(np.float32),
            bias=None if bias is None else bias.astype(np.float32),
            windows=self._windows(node, weights.shape[2:]),
            groups=int(attributes.get("group", 1)),
        )

    def _dense(self, node: onnx.NodeProto, source: int) -> Stage | None:
        weights = self._constants.get(node.input[1])
        if weights is None or weights.ndim != 2:
            return None
        if _attributes(node).get("transB", 0):
            weights = weights.T
        bias = self._constants.get(node.input[2]) if len(node.input) > 2 else None
        return Stage(
            kind=StageKind.DENSE,
            output=node.output[0],
            input=node.input[0],
            sources=(source,),
            weights=weights.astype(np.float32),
            bias=None if bias is None else bias.ravel().astype(np.float32),
        )

    def _elementwise(self, node: onnx.NodeProto, first: str, sources: tuple[int, ...]) -> Stage | None:
        """Return the stage of an addition or multiplication of two stages, or of a batch normalization.

        A multiplication with a vector begins a normalization; the addition after it completes it.
        """
        output = node.output[0]
        values = [self._constants[name] for name in node.input if name in self._constants]
        if node.op_type == "BatchNormalization":
            scale, shift, mean, variance = (one.astype(np.float32) for one in values[:4])
            factor = scale / np.sqrt(variance + np.float32(_attributes(node).get("epsilon", 1e-5)))
            return Stage(
                kind=StageKind.NORMALIZATION, output=output, input=first, sources=sources,
                weights=factor, bias=shift - factor * mean,
            )  # fmt: skip
        if len(sources) == 2:
            joined = _JOINED.get(node.op_type)
            return joined and Stage(kind=joined, output=output, input=first, sources=sources)
        if node.op_type != "Mul" or len(values) != 1 or values[0].size == 1:
            return None
        constant = values[0].ravel().astype(np.float32)
        return Stage(
            kind=StageKind.NORMALIZATION, output=output, input=first, sources=sources,
            weights=constant, bias=np.zeros_like(constant),
        )  # fmt: skip

    def _factor(self, node: onnx.NodeProto) -> float | None:
        """Return the factor of a resizing; None if it differs between the axes, or is no constant."""
        scales = self._constants.get(node.input[2]) if len(node.input) > 2 else None
        if scales is None or len(scales) != 4 or scales[2] != scales[3]:
            return None
        return float(scales[2])

    def _windows(self, node: onnx.NodeProto, shape: tuple[int, ...] | None) -> tuple[SlidingWindow, ...]:
        attributes = _attributes(node)
        sides = tuple(attributes.get("kernel_shape", shape or ()))
        strides = tuple(attributes.get("strides", (1, 1)))
        dilations = tuple(attributes.get("dilations", (1, 1)))
        square = len(sides) == 2 and all(len(set(sizes)) == 1 for sizes in (sides, strides, dilations))
        if not square or attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            return ()
        window = SlidingWindow(
            input_size=0,
            size=int(sides[0]),
            padding=int(attributes.get("pads", (0,))[0]),
            stride=int(strides[0]),
            dilation=int(dilations[0]),
        )
        before = self._paddings.get(node.input[0], 0)
        return (SlidingWindow(input_size=0, size=1, padding=before), window) if before else (window,)


def _attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
