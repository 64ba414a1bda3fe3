"""Inserts a calibration into the head of an ONNX network, between its logits and its probabilities.

The inserted nodes have names with a common prefix, so that they can be removed again and the network can be
recalibrated from its file.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from training.errors import ExportError
from training.export.calibration import Calibration

# The committed models contain these names.
_PREFIX = "calibration/"
_SLOPE = f"{_PREFIX}slope"
_HEAT = "heat"


class _Builder:
    """Collects nodes and constants for a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self.nodes: list[onnx.NodeProto] = []

    def add(self, operation: str, name: str, *inputs: str, outputs: int = 1) -> list[str]:
        names = [f"{_PREFIX}{name}:{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operation, list(inputs), names, name=f"{_PREFIX}{name}"))
        return names

    def constant(self, name: str, value: object, dtype: type[np.generic] = np.float32) -> str:
        full_name = f"{_PREFIX}{name}"
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), full_name))
        return full_name


def insert_calibration(proto: onnx.ModelProto, calibration: Calibration) -> None:
    """Insert a calibration, in place of an earlier one.

    Args:
        proto: Ends in a softmax, or in a sigmoid that is extended to two classes; changed in place.
        calibration: The change of the logits.

    Raises:
        ExportError: The network ends otherwise.
    """
    remove_calibration(proto)
    graph = proto.graph
    place = _find_activation(graph)
    activation = graph.node[place]
    sigmoid = activation.op_type == "Sigmoid"
    build = _Builder(graph)
    (value,) = build.add(
        "Mul", "scaled", activation.input[0], build.constant("slope", 1 / calibration.temperature)
    )
    if calibration.power != 1.0:
        value = (
            _raise_logit(build, value, calibration) if sigmoid else _raise_margin(build, value, calibration)
        )
    if calibration.offsets:
        offsets = np.array(calibration.offsets)
        # The logit of a sigmoid is the difference of the two classes' logits.
        added = offsets[1:] - offsets[:1] if sigmoid else offsets
        (value,) = build.add("Add", "moved", value, build.constant("offsets", added))
    activation.input[0] = value
    for offset, node in enumerate(build.nodes):
        graph.node.insert(place + offset, node)
    onnx.checker.check_model(proto, full_check=True)


def remove_calibration(proto: onnx.ModelProto) -> float:
    """Remove what :func:`insert_calibration` inserted.

    Returns:
        The temperature that was removed, 1 for none.
    """
    graph = proto.graph
    inserted = [node for node in graph.node if node.name.startswith(_PREFIX)]
    if not inserted:
        return 1.0
    slope = next(numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name == _SLOPE)
    graph.node[_find_activation(graph)].input[0] = inserted[0].input[0]
    _remove(graph, inserted)
    return 1 / float(slope)


def scale_heat_map(proto: onnx.ModelProto, temperature: float) -> None:
    """Divide an explanation graph's heat map by a temperature, in place of an earlier one.

    Args:
        proto: The graph that explains a network; changed in place.
        temperature: That of the network's calibration.
    """
    graph = proto.graph
    inserted = [node for node in graph.node if node.name.startswith(_PREFIX)]
    if inserted:
        _producer(graph, inserted[0].input[0]).output[0] = _HEAT
        _remove(graph, inserted)
    if temperature == 1.0:
        return
    producer = _producer(graph, _HEAT)
    producer.output[0] = f"{_PREFIX}unscaled_heat"
    build = _Builder(graph)
    build.add("Mul", "heat", producer.output[0], build.constant("heat_slope", 1 / temperature))
    build.nodes[0].output[0] = _HEAT
    graph.node.extend(build.nodes)
    onnx.checker.check_model(proto)


def _raise_logit(build: _Builder, value: str, calibration: Calibration) -> str:
    """Raise the size of a sigmoid's logit, which is the margin of two labels, to the power."""
    (size,) = build.add("Abs", "size", value)
    (powered,) = build.add("Pow", "raised", size, build.constant("power", calibration.power))
    (sign,) = build.add("Sign", "sign", value)
    return build.add("Mul", "signed", sign, powered)[0]


def _raise_margin(build: _Builder, value: str, calibration: Calibration) -> str:
    """Raise the margin of the highest logit over the next one to the power."""
    two = build.constant("two", [2], np.int64)
    first_two, _ = build.add("TopK", "first", value, two, outputs=2)
    # The logits are divided by the temperature already; the rest of the margin's own divisor remains.
    factor = calibration.temperature / (calibration.margin_temperature or calibration.temperature)
    differences = build.constant("margin_weights", [[factor], [-factor]])
    (margin,) = build.add("MatMul", "margin", first_two, differences)
    (powered,) = build.add("Pow", "raised", margin, build.constant("power", calibration.power))
    (highest,) = build.add("MatMul", "highest", first_two, build.constant("highest_weights", [[1.0], [0.0]]))
    (following,) = build.add("MatMul", "next", first_two, build.constant("next_weights", [[0.0], [1.0]]))
    (best,) = build.add("Add", "best", following, powered)
    (is_best,) = build.add("Equal", "is_best", value, highest)
    return build.add("Where", "replaced", is_best, best, value)[0]


def _find_activation(graph: onnx.GraphProto) -> int:
    """Return the position of the node that turns logits into probabilities."""
    place = next(i for i, node in enumerate(graph.node) if graph.output[0].name in node.output)
    # A product and a sum extend a sigmoid to two classes.
    while graph.node[place].op_type in ("Add", "MatMul", "Gemm"):
        source = graph.node[place].input[0]
        producers = [i for i, node in enumerate(graph.node) if source in node.output]
        if not producers:
            break
        place = producers[0]
    operation = graph.node[place].op_type
    if operation not in ("Softmax", "Sigmoid"):
        raise ExportError(
            f"the network ends in {operation}, neither softmax nor sigmoid; nothing was written"
        )
    return place


def _producer(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    node: onnx.NodeProto = next(node for node in graph.node if name in node.output)
    return node


def _remove(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    for node in nodes:
        graph.node.remove(node)
    kept = [tensor for tensor in graph.initializer if not tensor.name.startswith(_PREFIX)]
    del graph.initializer[:]
    graph.initializer.extend(kept)
