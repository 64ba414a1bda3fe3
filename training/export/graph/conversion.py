"""Converts a Keras network to an ONNX graph."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import onnx
import onnxslim
import tensorflow as tf
import tf2onnx
from onnx import helper

from training.errors import ExportError
from training.export.graph.node_names import LayerScopes
from training.export.graph.recurrent import SplitNetwork, recurrent_layer
from training.networks.heads import CLASSES, Head

OPSET = 17
# The version of the file format that came with opset 17; older runtimes reject newer ones.
_IR_VERSION = 8
_SHAPE_OPERATIONS = {"Cast", "Concat", "Gather", "Slice", "Unsqueeze"}


def to_onnx(model: keras.Model, head: Head = CLASSES) -> onnx.ModelProto:
    """Convert a network.

    Args:
        model: Has one input: ``image`` (uint8), ``ids`` (int32) or ``features`` (float32). A classifier
            returns softmax probabilities, or the sigmoid probability of the second of two classes.
        head: The network's head.

    Returns:
        A checked ONNX model with that input and the head's output, ``probabilities`` or ``values`` (batch,
        outputs). Only the batch, and the length of texts, are free dimensions.

    Raises:
        ExportError: The graph computes shapes at run time.
    """
    signature = [_tensor_spec(model.inputs[0])]

    def outputs(result: Any) -> dict[str, Any]:
        if head.task == "classification" and model.output_shape[-1] == 1:
            # (1 - p, p) as arithmetic: some accelerators run a Concat separately.
            result = tf.add(tf.matmul(result, [[-1.0, 1.0]]), [1.0, 0.0])
        return {head.output: result}

    layer, scopes = recurrent_layer(model), LayerScopes(model)
    if layer is None:
        with scopes.recorded():
            converted = convert(lambda batch: outputs(model(batch, training=False)), signature)
    else:
        split = SplitNetwork(model, layer)

        def without_layer(batch: Any, states: Any) -> dict[str, Any]:
            result, vectors = split.run(batch, states)
            return {**outputs(result), **vectors}

        with scopes.recorded():
            converted = convert(without_layer, [*signature, _tensor_spec(split.states)])
        split.join(converted)
    return _simplify(converted, scopes, name=model.name)


def _simplify(converted: onnx.ModelProto, scopes: LayerScopes, *, name: str) -> onnx.ModelProto:
    """Remove superfluous nodes, name the others and the free dimensions, and check the graph."""
    proto: onnx.ModelProto = onnxslim.slim(converted)
    scopes.rename(proto.graph)
    for info in (proto.graph.input[0], proto.graph.output[0]):
        free = [size for size in info.type.tensor_type.shape.dim if not size.dim_value]
        for size, meaning in zip(free, ("batch", "length"), strict=False):
            size.dim_param = meaning
    del proto.graph.value_info[:]
    del proto.opset_import[:]
    proto.opset_import.append(helper.make_opsetid("", OPSET))
    proto.ir_version = _IR_VERSION
    proto.graph.name = name
    onnx.checker.check_model(proto, full_check=True)
    if operations := shape_operations(proto):
        raise ExportError(
            f"the graph computes shapes at run time ({', '.join(operations)}); nothing was written"
        )
    return proto


def convert(function: Callable[..., dict[str, Any]], signature: Sequence[tf.TensorSpec]) -> onnx.ModelProto:
    """Convert a TensorFlow function with tf2onnx.

    Args:
        function: Returns the outputs by name.
        signature: The function's inputs.
    """
    with _hide_tensorflow_output():
        converted = tf2onnx.convert.from_function(
            tf.function(function, autograph=False), input_signature=signature, opset=OPSET
        )
    proto: onnx.ModelProto = converted[0]
    proto.ir_version = _IR_VERSION
    return proto


def shape_operations(proto: onnx.ModelProto) -> tuple[str, ...]:
    """Return the nodes that compute shapes: ``Shape``, and those that process its results."""
    computed: set[str] = set()
    found = []
    for node in proto.graph.node:
        if node.op_type == "Shape" or (
            node.op_type in _SHAPE_OPERATIONS and computed.intersection(node.input)
        ):
            computed.update(node.output)
            found.append(f"{node.op_type} {node.name}")
    return tuple(found)


def _tensor_spec(tensor: keras.KerasTensor) -> tf.TensorSpec:
    return tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)


@contextmanager
def _hide_tensorflow_output() -> Iterator[None]:
    """Discard what TensorFlow's C++ code writes to standard error, unless the conversion fails.

    Those lines, about sessions and missing GPUs, ignore TensorFlow's log settings.
    """
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            os.write(original, captured.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
