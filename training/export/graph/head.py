"""Inserts a calibration into the head of an ONNX network, between its logits and its probabilities.

The inserted nodes have names with a common prefix, so that they can be removed again and the network can be
recalibrated from its file. A layer of the network may have that name too, so that they are followed back from
the output.
"""

from collections.abc import Collection

import numpy as np
import onnx
from onnx import helper, numpy_helper

from training.errors import ExportError
from training.export.calibration import LEAST_MARGIN, Calibration

_PREFIX = "calibration/"
_SLOPE = f"{_PREFIX}scaled_by"
_EARLIER_SLOPE = f"{_PREFIX}slope"  # its name in the committed models
_FIRST = f"{_PREFIX}scaled"
_HEAT, _SCALED_HEAT = "heat", f"{_PREFIX}heat"
# Operation, name, and inputs: names of earlier steps, or constants.
_Step = tuple[str, str, tuple[object, ...]]


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
    steps = _steps(calibration, sigmoid=activation.op_type == "Sigmoid")
    names = {"logits": activation.input[0]}
    for offset, (operation, name, inputs) in enumerate(steps):
        names[name] = f"{_PREFIX}{name}"
        sources = [
            names[value] if isinstance(value, str) else _add_constant(graph, f"{_PREFIX}{name}_by", value)
            for value in inputs
        ]
        outputs = [names[name]] if operation != "TopK" else [names[name], f"{names[name]}_places"]
        graph.node.insert(place + offset, helper.make_node(operation, sources, outputs, name=names[name]))
    activation.input[0] = names[steps[-1][1]]
    onnx.checker.check_model(proto, full_check=True)


def remove_calibration(proto: onnx.ModelProto) -> float:
    """Remove what :func:`insert_calibration` inserted.

    Returns:
        The temperature that was removed, 1 for none.
    """
    graph = proto.graph
    slopes = [tensor for tensor in graph.initializer if tensor.name in (_SLOPE, _EARLIER_SLOPE)]
    if not slopes:
        return 1.0
    activation = graph.node[_find_activation(graph)]
    inserted = _inserted_before(graph, activation.input[0])
    activation.input[0] = inserted[_FIRST].input[0]
    _remove(graph, inserted.values())
    return 1 / float(numpy_helper.to_array(slopes[0]))


def scale_heat_map(proto: onnx.ModelProto, temperature: float) -> None:
    """Divide an explanation graph's heat map by a temperature, in place of an earlier one.

    Args:
        proto: The graph that explains a network; changed in place.
        temperature: That of the network's calibration.
    """
    graph = proto.graph
    producer = _producer(graph, _HEAT)
    if producer.name == _SCALED_HEAT:
        _remove(graph, [producer])
        producer = _producer(graph, producer.input[0])
        producer.output[0] = _HEAT
    if temperature == 1.0:
        return
    producer.output[0] = f"{_PREFIX}unscaled_heat"
    slope = _add_constant(graph, _SLOPE, 1 / temperature)
    graph.node.append(helper.make_node("Mul", [producer.output[0], slope], [_HEAT], name=_SCALED_HEAT))
    onnx.checker.check_model(proto)


def _steps(calibration: Calibration, *, sigmoid: bool) -> list[_Step]:
    """Return the operations of a calibration, from ``logits`` on."""
    power, offsets = calibration.power, np.array(calibration.offsets)
    steps: list[_Step] = [("Mul", "scaled", ("logits", 1 / calibration.temperature))]
    if power != 1.0 and sigmoid:
        # The size of a sigmoid's logit is the margin of two labels.
        steps += [
            ("Abs", "size", ("scaled",)),
            ("Pow", "raised", ("size", power)),
            ("Max", "kept", ("raised", LEAST_MARGIN)),
            ("Sign", "sign", ("scaled",)),
            ("Mul", "powered", ("sign", "kept")),
        ]
    elif power != 1.0:
        # The logits are divided by the temperature already, so the margin is divided by the rest.
        rest = calibration.temperature / (calibration.margin_temperature or calibration.temperature)
        steps += [
            ("TopK", "first_two", ("scaled", np.array([2]))),
            ("MatMul", "margin", ("first_two", [[rest], [-rest]])),
            ("Pow", "raised", ("margin", power)),
            *_added_share(calibration),
            ("Max", "kept", ("sum" if calibration.margin_share else "raised", LEAST_MARGIN)),
            ("MatMul", "highest", ("first_two", [[1.0], [0.0]])),
            ("MatMul", "next", ("first_two", [[0.0], [1.0]])),
            ("Add", "best", ("next", "kept")),
            ("Equal", "is_best", ("scaled", "highest")),
            ("Where", "powered", ("is_best", "best", "scaled")),
        ]
    if offsets.size:
        # The logit of a sigmoid is the difference of the two classes' logits.
        added = offsets[1:] - offsets[:1] if sigmoid else offsets
        steps.append(("Add", "moved", (steps[-1][1], added)))
    return steps


def _added_share(calibration: Calibration) -> list[_Step]:
    """Return the operations that add a share of the margin, which is divided already, to its power."""
    if not calibration.margin_share:
        return []
    divisor = calibration.margin_temperature or calibration.temperature
    return [
        ("Mul", "share", ("margin", calibration.margin_share * divisor)),
        ("Add", "sum", ("raised", "share")),
    ]


def _add_constant(graph: onnx.GraphProto, name: str, value: object) -> str:
    array = np.asarray(value)
    kind = np.int64 if array.dtype == np.int64 else np.float32
    graph.initializer.append(numpy_helper.from_array(array.astype(kind), name))
    return name


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


def _inserted_before(graph: onnx.GraphProto, tensor: str) -> dict[str, onnx.NodeProto]:
    """Return the inserted nodes that lead to a tensor, by their names."""
    makers = {output: node for node in graph.node for output in node.output}
    found: dict[str, onnx.NodeProto] = {}
    pending = [tensor]
    while pending:
        node = makers.get(pending.pop())
        if node is not None and node.name.startswith(_PREFIX) and node.name not in found:
            found[node.name] = node
            if node.name != _FIRST:
                pending += node.input
    return found


def _remove(graph: onnx.GraphProto, inserted: Collection[onnx.NodeProto]) -> None:
    """Remove inserted nodes and their constants."""
    constants = {name for node in inserted for name in node.input if name.startswith(_PREFIX)}
    for node in inserted:
        graph.node.remove(node)
    kept = [tensor for tensor in graph.initializer if tensor.name not in constants]
    del graph.initializer[:]
    graph.initializer.extend(kept)
