"""Divides a classifier into the part that computes features and its last layer, and joins them again."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from desktop.teach.regression import LastLayer, Values
from service.inference.errors import ModelError

_OUTPUT = "probabilities"
_ACTIVATIONS = ("Softmax", "Sigmoid")
_PREFIX = "taught/"


@dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A classifier without its last layer.

    Attributes:
        proto: The network; its only output is that of the features, float32 (batch, features).
        features: Name of that output.
        last: The layer that was removed, with the temperature of the calibration.
    """

    proto: onnx.ModelProto
    features: str
    last: LastLayer

    def with_layer(self, layer: LastLayer) -> onnx.ModelProto:
        """Return a classifier that ends in a dense layer with softmax."""
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        graph = proto.graph
        for name, values in (("weights", layer.weights), ("biases", layer.biases)):
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), _PREFIX + name))
        product, logits = f"{_PREFIX}product", f"{_PREFIX}logits"
        graph.node.extend(
            [
                helper.make_node("MatMul", [self.features, f"{_PREFIX}weights"], [product]),
                helper.make_node("Add", [product, f"{_PREFIX}biases"], [logits]),
                helper.make_node("Softmax", [logits], [_OUTPUT], axis=1),
            ]
        )
        del graph.output[:]
        labels = len(layer.biases)
        graph.output.append(helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, ["batch", labels]))
        onnx.checker.check_model(proto)
        return proto


def remove_last_layer(content: bytes, name: str) -> FeatureNetwork:
    """Return a classifier without its last dense layer.

    Args:
        content: The ONNX file.
        name: Name of the model for messages.

    Raises:
        ModelError: The file is damaged, or the network does not end in one dense layer with softmax or one
            sigmoid unit, as those made of several networks do not.
    """
    try:
        proto = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's error is no subclass of a public one.
        raise ModelError(f"{name}: no ONNX file ({error}); export the model again") from error
    graph = proto.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    activation = next((node for node in reversed(graph.node) if node.op_type in _ACTIVATIONS), None)
    if activation is None:
        raise _unsuitable(name)
    tensor, slope = activation.input[0], 1.0
    biases: Values | None = None
    while True:
        node = makers.get(tensor)
        known = [value for value in node.input if value in constants] if node else []
        if node is None or len(node.input) - len(known) != 1 or not known:
            raise _unsuitable(name)
        constant = constants[known[0]].astype(np.float64)
        tensor = next(value for value in node.input if value not in constants)
        if node.op_type == "Gemm" and len(known) == 2 and not node.attribute:
            biases = constants[known[1]] * slope + (0.0 if biases is None else biases)
            break
        if node.op_type == "MatMul":
            break
        if node.op_type == "Mul" and constant.ndim == 0:
            slope *= float(constant)
        elif node.op_type == "Add":
            biases = constant * slope + (0.0 if biases is None else biases)
        else:
            raise _unsuitable(name)
    weights = constant * slope
    biases = np.zeros(weights.shape[1]) if biases is None else np.broadcast_to(biases, weights.shape[1:])
    if weights.shape[1] == 1:  # One sigmoid unit is a softmax over zero and its logit.
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
        biases = np.concatenate([np.zeros(1), biases])
    _keep_nodes(graph, tensor)
    graph.output.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, ["batch", weights.shape[0]]))
    return FeatureNetwork(proto, tensor, LastLayer(weights, np.array(biases)))


def _keep_nodes(graph: onnx.GraphProto, output: str) -> None:
    """Remove all nodes and constants that a tensor does not need, and all outputs."""
    needed, kept = {output}, []
    for node in reversed(graph.node):  # nodes are in the order of computation
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    constants = [tensor for tensor in graph.initializer if tensor.name in needed]
    kept.reverse()
    for field, values in ((graph.node, kept), (graph.initializer, constants)):
        copies = list(values)
        del field[:]
        field.extend(copies)
    del graph.output[:]
    del graph.value_info[:]


def _unsuitable(name: str) -> ModelError:
    return ModelError(
        f"{name}: does not end in one dense layer, so it cannot be taught; choose another model"
    )
