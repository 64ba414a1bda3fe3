"""Finds the stages of a network in its ONNX file.

It reads what the operators compute, not the names of layers: converters fold and rename layers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from desktop.lab.convolution.window import SlidingWindow
from desktop.lab.network.stage import Function, Network, Stage, StageKind, Values
from service.inference.errors import ModelError

# The calibration that training.export appends to the logits.
_CALIBRATION = "calibration/"
_ACTIVATIONS = {
    "Relu": Function.RELU,
    "Elu": Function.ELU,
    "Sigmoid": Function.SIGMOID,
    "Tanh": Function.TANH,
    "Clip": Function.RELU6,
}
_POOLINGS = {"MaxPool": Function.MAXIMUM, "AveragePool": Function.MEAN}
_GLOBAL_POOLINGS = {"GlobalMaxPool": Function.MAXIMUM, "GlobalAveragePool": Function.MEAN}
# Operators that join the networks of an ensemble.
_JOINS = ("Concat", "Mean", "Sum")


def read_network(content: bytes, name: str) -> Network:
    """Find the stages of an image classifier.

    Args:
        content: The ONNX file.
        name: Name of the file for messages.

    Raises:
        ModelError: The file is damaged, or does not end in softmax or sigmoid.
    """
    model = _parse(content, name)
    stages, logits = _Reader(model.graph).read(name)
    names = {stage.output for stage in stages} | {stage.input for stage in stages} | {logits}
    known = {output.name for output in model.graph.output}
    inputs = {value.name for value in model.graph.input}
    outputs = tuple(sorted(names - inputs - {""}))
    model.graph.output.extend(onnx.ValueInfoProto(name=one) for one in outputs if one not in known)
    return Network(stages, model.SerializeToString(), logits, outputs)


def with_logit(content: bytes, name: str) -> tuple[bytes, str]:
    """Make the logits before the calibration an output of a classifier.

    Args:
        content: The ONNX file.
        name: Name of the file for messages.

    Returns:
        The changed file, and the name of the output.

    Raises:
        ModelError: The file is damaged, or does not end in softmax or sigmoid.
    """
    model = _parse(content, name)
    maker = {output: node for node in model.graph.node for output in node.output}
    tensor = _head(model.graph, name).input[0]
    while tensor in maker and maker[tensor].name.startswith(_CALIBRATION):
        tensor = maker[tensor].input[0]
    model.graph.output.append(onnx.ValueInfoProto(name=tensor))
    return model.SerializeToString(), tensor


def _parse(content: bytes, name: str) -> onnx.ModelProto:
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's error is no subclass of a public one.
        raise ModelError(f"{name}: no ONNX file ({error}); export the model again") from error


def _head(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    """Return the softmax or the sigmoid that makes the scores."""
    nodes: list[onnx.NodeProto] = [node for node in graph.node if node.op_type in ("Softmax", "Sigmoid")]
    if nodes:
        return nodes[-1]
    raise ModelError(f"{name}: neither softmax nor sigmoid at its end; it is no classifier")


class _Reader:
    """Walks through a graph, and notes which stage each tensor belongs to."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._constants: dict[str, Values] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self._stages: list[Stage] = []
        # The stage whose values a tensor holds, perhaps reshaped.
        self._stage_of: dict[str, int] = {}
        self._paddings: dict[str, int] = {}

    def read(self, name: str) -> tuple[tuple[Stage, ...], str]:
        self._fold_constants()
        head = _head(self._graph, name)
        nodes = list(_ancestors(self._graph, head))
        self._stages.append(Stage(kind=StageKind.INPUT, output=""))
        for value in self._graph.input:
            self._stage_of[value.name] = 0
        for node in nodes:
            if node is not head and not node.name.startswith(_CALIBRATION):
                self._add(node)
        last = len(self._stages) - 1
        function = Function.SOFTMAX if head.op_type == "Softmax" else Function.SIGMOID
        scores = Stage(
            kind=StageKind.SCORES,
            output=self._graph.output[0].name,
            input=head.input[0],
            sources=(last,),
            function=function,
        )
        return (*self._stages, scores), head.input[0]

    def _fold_constants(self) -> None:
        for node in self._graph.node:
            if node.op_type == "Constant":
                value = next(one for one in node.attribute if one.name == "value")
                self._constants[node.output[0]] = numpy_helper.to_array(value.t)
            elif node.op_type in ("Cast", "Identity") and node.input[0] in self._constants:
                self._constants[node.output[0]] = self._constants[node.input[0]]

    def _add(self, node: onnx.NodeProto) -> None:
        """Complete the last stage with a node, make a new stage of it, or pass it over."""
        inputs = [name for name in node.input if name in self._stage_of]
        if not inputs or node.output[0] in self._constants:
            return
        source = self._stage_of[inputs[0]]
        completed = self._completed(node, inputs)
        stage = None if completed is not None else self._new_stage(node, inputs, source)
        if completed is not None:
            self._stages[-1] = completed
        elif stage is not None:
            self._stages.append(stage)
        else:
            self._pass(node, source)
            return
        self._stage_of[node.output[0]] = len(self._stages) - 1

    def _completed(self, node: onnx.NodeProto, inputs: list[str]) -> Stage | None:
        """Return the last stage with the node, if that is its bias, or makes x · sigmoid(x) of a sigmoid."""
        last = self._stages[-1]
        if last.output not in inputs:
            return None
        if node.op_type == "Mul" and last.function is Function.SIGMOID and last.input in inputs:
            return replace(last, output=node.output[0], function=Function.SILU)
        values = [self._constants[name] for name in node.input if name in self._constants]
        takes_bias = last.kind in (StageKind.DENSE, StageKind.NORMALIZATION) and last.weights is not None
        if node.op_type != "Add" or not values or not takes_bias:
            return None
        assert last.weights is not None
        if values[0].size != last.weights.shape[-1]:
            return None
        return replace(last, output=node.output[0], bias=values[0].ravel().astype(np.float32))

    def _pass(self, node: onnx.NodeProto, source: int) -> None:
        self._stage_of[node.output[0]] = source
        self._paddings[node.output[0]] = self._paddings.get(node.input[0], 0)
        if node.op_type == "Pad":
            pads = self._constants.get(node.input[1])
            # Leading zeros of the rows; the four axes are batch, maps, rows, columns.
            self._paddings[node.output[0]] += 0 if pads is None or len(pads) < 8 else int(pads[2])

    def _new_stage(self, node: onnx.NodeProto, inputs: list[str], source: int) -> Stage | None:
        output, first = node.output[0], inputs[0]
        kind = node.op_type
        if kind == "Conv":
            return self._convolution(node, source)
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
        return self._elementwise(node, inputs, source)

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

    def _elementwise(self, node: onnx.NodeProto, inputs: list[str], source: int) -> Stage | None:
        """Return the stage of an addition or of a batch normalization.

        A multiplication with a vector begins a normalization; the addition after it completes it.
        """
        output, first = node.output[0], inputs[0]
        values = [self._constants[name] for name in node.input if name in self._constants]
        if node.op_type == "BatchNormalization":
            scale, shift, mean, variance = (one.astype(np.float32) for one in values[:4])
            factor = scale / np.sqrt(variance + np.float32(_attributes(node).get("epsilon", 1e-5)))
            return Stage(
                kind=StageKind.NORMALIZATION, output=output, input=first, sources=(source,),
                weights=factor, bias=shift - factor * mean,
            )  # fmt: skip
        if len(inputs) == 2:
            sources = tuple(self._stage_of[name] for name in inputs)
            adds = node.op_type == "Add"
            return (
                Stage(kind=StageKind.ADDITION, output=output, input=first, sources=sources) if adds else None
            )
        if node.op_type != "Mul" or len(values) != 1 or values[0].size == 1:
            return None
        constant = values[0].ravel().astype(np.float32)
        return Stage(
            kind=StageKind.NORMALIZATION, output=output, input=first, sources=(source,),
            weights=constant, bias=np.zeros_like(constant),
        )  # fmt: skip

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


def _ancestors(graph: onnx.GraphProto, head: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that a node depends on, in the order of the graph, and the node itself.

    Of the networks of an ensemble, only the first is followed.
    """
    maker = {output: node for node in graph.node for output in node.output}
    needed, pending = set(), [head]
    while pending:
        node = pending.pop()
        if node.output[0] in needed:
            continue
        needed.add(node.output[0])
        inputs = node.input[:1] if node.op_type in _JOINS else node.input
        pending += [maker[name] for name in inputs if name in maker]
    return (node for node in graph.node if node.output[0] in needed)
