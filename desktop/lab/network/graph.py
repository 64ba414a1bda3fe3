"""Finds the stages of a network in its ONNX file.

It reads what the operators compute, not the names of layers: converters fold and rename layers.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper

from desktop.lab.network.logits import find_logits
from desktop.lab.network.stage import Function, Network, Stage, StageKind, Values
from desktop.lab.network.stage_builder import StageBuilder
from service.inference.errors import ModelError

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
    """Make the logits of a classifier, as its last layer computes them, an output.

    Args:
        content: The ONNX file.
        name: Name of the file for messages.

    Returns:
        The changed file, and the name of the output.

    Raises:
        ModelError: The file is damaged, or does not end in softmax or sigmoid.
    """
    model = _parse(content, name)
    tensor = find_logits(model.graph, _head(model.graph, name))
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
        self._builder = StageBuilder(self._constants, self._paddings)

    def read(self, name: str) -> tuple[tuple[Stage, ...], str]:
        self._fold_constants()
        head = _head(self._graph, name)
        self._stages.append(Stage(kind=StageKind.INPUT, output=""))
        for value in self._graph.input:
            self._stage_of[value.name] = 0
        for node in _ancestors(self._graph, find_logits(self._graph, head)):
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
        """Complete a stage with a node, make a new stage of it, or pass it over."""
        inputs = [name for name in node.input if name in self._stage_of]
        if not inputs or node.output[0] in self._constants:
            return
        sources = tuple(self._stage_of[name] for name in inputs)
        for number in sources:
            completed = self._completed(self._stages[number], node, inputs)
            if completed is not None:
                self._stages[number] = completed
                self._stage_of[node.output[0]] = number
                return
        stage = self._builder.build(node, inputs[0], sources)
        if stage is None:
            self._pass(node, sources[0])
            return
        self._stages.append(stage)
        self._stage_of[node.output[0]] = len(self._stages) - 1

    def _completed(self, stage: Stage, node: onnx.NodeProto, inputs: list[str]) -> Stage | None:
        """Return a stage with the node, if that is its bias, or makes x · sigmoid(x) of a sigmoid."""
        if stage.output not in inputs:
            return None
        if node.op_type == "Mul" and stage.function is Function.SIGMOID and stage.input in inputs:
            return replace(stage, output=node.output[0], function=Function.SILU)
        values = [self._constants[name] for name in node.input if name in self._constants]
        takes_bias = stage.kind in (StageKind.DENSE, StageKind.NORMALIZATION) and stage.weights is not None
        if node.op_type != "Add" or not values or not takes_bias:
            return None
        assert stage.weights is not None
        if values[0].size != stage.weights.shape[-1]:
            return None
        return replace(stage, output=node.output[0], bias=values[0].ravel().astype(np.float32))

    def _pass(self, node: onnx.NodeProto, source: int) -> None:
        self._stage_of[node.output[0]] = source
        self._paddings[node.output[0]] = self._paddings.get(node.input[0], 0)
        if node.op_type == "Pad":
            pads = self._constants.get(node.input[1])
            # Leading zeros of the rows; the four axes are batch, maps, rows, columns.
            self._paddings[node.output[0]] += 0 if pads is None or len(pads) < 8 else int(pads[2])


def _ancestors(graph: onnx.GraphProto, tensor: str) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that a tensor depends on, in the order of the graph.

    Of the networks of an ensemble, only the first is followed.
    """
    maker = {output: node for node in graph.node for output in node.output}
    needed: set[str] = set()
    pending = [tensor]
    while pending:
        node = maker.get(pending.pop())
        if node is None or node.output[0] in needed:
            continue
        needed.add(node.output[0])
        pending += node.input[:1] if node.op_type in _JOINS else node.input
    return (node for node in graph.node if node.output[0] in needed)
