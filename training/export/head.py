"""Owns the end of an ONNX network, where its logits become probabilities, and putting a calibration there.

The calibration is a few operations on a row of logits, named so that they can be found and taken out again:
a network can be calibrated anew from its file alone.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from training.errors import ExportError
from training.export.calibration import Calibration

_PREFIX = "calibration/"
_TEMPERATURE, _POWER, _OFFSETS = (f"{_PREFIX}{name}" for name in ("slope", "power", "offsets"))
_FIRST, _TWO = f"{_PREFIX}first", f"{_PREFIX}two"
_LEAD, _NEXT, _HIGHEST = (f"{_PREFIX}{name}_weights" for name in ("lead", "next", "highest"))
_HEAT, _HEAT_SLOPE = "heat", f"{_PREFIX}heat_slope"


def calibrate(proto: onnx.ModelProto, calibration: Calibration) -> None:
    """Put a calibration between a network's logits and its probabilities, in place of one that is there.

    Args:
        proto: Ends in softmax, or in a sigmoid that is spread out to two classes; changed in place.
        calibration: What to do to the logits.

    Raises:
        ExportError: The network ends otherwise.
    """
    remove_calibration(proto)
    graph = proto.graph
    place = _head(graph)
    head = graph.node[place]
    sigmoid = head.op_type == "Sigmoid"
    nodes: list[onnx.NodeProto] = []

    def add(operation: str, name: str, *inputs: str) -> str:
        output = f"{_PREFIX}{name}:0"
        nodes.append(helper.make_node(operation, list(inputs), [output], name=f"{_PREFIX}{name}"))
        return output

    def constant(name: str, value: object, kind: type[np.generic] = np.float32) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    source = head.input[0]
    value = add("Mul", "scaled", source, constant(_TEMPERATURE, 1 / calibration.temperature))
    if calibration.power != 1.0 and sigmoid:
        size = add("Pow", "raised", add("Abs", "size", value), constant(_POWER, calibration.power))
        value = add("Mul", "bent", add("Sign", "sign", value), size)
    elif calibration.power != 1.0:
        two = constant(_TWO, [2], np.int64)
        nodes.append(
            helper.make_node("TopK", [value, two], [f"{_PREFIX}first:0", f"{_PREFIX}places:0"], name=_FIRST)
        )
        first = f"{_PREFIX}first:0"
        # The lead is over scaled logits here, so that what is left of its own temperature is a factor.
        own = calibration.temperature / (calibration.lead or calibration.temperature)
        lead = add("MatMul", "lead", first, constant(_LEAD, [[own], [-own]]))
        raised = add("Pow", "raised", lead, constant(_POWER, calibration.power))
        best = add("Add", "best", add("MatMul", "next", first, constant(_NEXT, [[0.0], [1.0]])), raised)
        highest = add("MatMul", "highest", first, constant(_HIGHEST, [[1.0], [0.0]]))
        value = add("Where", "led", add("Equal", "leads", value, highest), best, value)
    if calibration.offsets:
        offsets = np.array(calibration.offsets)
        # One sigmoid's logit is the difference of both classes'.
        value = add(
            "Add", "moved", value, constant(_OFFSETS, offsets[1:] - offsets[:1] if sigmoid else offsets)
        )
    head.input[0] = value
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    onnx.checker.check_model(proto, full_check=True)


def remove_calibration(proto: onnx.ModelProto) -> float:
    """Take out what :func:`calibrate` put in.

    Returns:
        The temperature that was there, 1 for none.
    """
    graph = proto.graph
    inserted = [node for node in graph.node if node.name.startswith(_PREFIX)]
    if not inserted:
        return 1.0
    slope = next(numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name == _TEMPERATURE)
    graph.node[_head(graph)].input[0] = inserted[0].input[0]
    _drop(graph, inserted)
    return 1 / float(slope)


def scale_heat(proto: onnx.ModelProto, temperature: float) -> None:
    """Make an explanation's heat that of the logits divided by a temperature, in place of an earlier one.

    Args:
        proto: The graph that explains a network; changed in place.
        temperature: Of the network's calibration.
    """
    graph = proto.graph
    inserted = [node for node in graph.node if node.name.startswith(_PREFIX)]
    if inserted:
        _producer(graph, inserted[0].input[0]).output[0] = _HEAT
        _drop(graph, inserted)
    if temperature == 1.0:
        return
    node = _producer(graph, _HEAT)
    node.output[0] = f"{_PREFIX}heat:0"
    graph.initializer.append(numpy_helper.from_array(np.float32(1 / temperature), _HEAT_SLOPE))
    graph.node.append(helper.make_node("Mul", [node.output[0], _HEAT_SLOPE], [_HEAT], name=f"{_PREFIX}heat"))
    onnx.checker.check_model(proto)


def _head(graph: onnx.GraphProto) -> int:
    """Return the place of the node that turns logits into probabilities."""
    place = next(i for i, node in enumerate(graph.node) if graph.output[0].name in node.output)
    # The spreading of a sigmoid to both classes is a product and a sum.
    while graph.node[place].op_type in ("Add", "MatMul"):
        before = graph.node[place].input[0]
        found = [i for i, node in enumerate(graph.node) if before in node.output]
        if not found:
            break
        place = found[0]
    if graph.node[place].op_type not in ("Softmax", "Sigmoid"):
        raise ExportError(
            f"the network ends in {graph.node[place].op_type}, neither softmax nor sigmoid; "
            "nothing was written"
        )
    return place


def _producer(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    return next(node for node in graph.node if name in node.output)


def _drop(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    for node in nodes:
        graph.node.remove(node)
    kept = [tensor for tensor in graph.initializer if not tensor.name.startswith(_PREFIX)]
    del graph.initializer[:]
    graph.initializer.extend(kept)
