"""Owns turning a Keras network into an ONNX graph, and tidying that graph up."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import helper, numpy_helper

from training.errors import ExportError

OPSET = 17
# Opset 17 came with this version of the file format; older runtimes refuse newer ones.
IR_VERSION = 8
_OUTPUT = "probabilities"
_WORTH_HALVING = 10_000  # bytes of a constant
_LAST_BITS = 1e-6  # relative, of what the export's arithmetic may change in a float32
_DYNAMIC = {"Cast", "Concat", "Gather", "Slice", "Unsqueeze"}


def to_onnx(model: keras.Model) -> onnx.ModelProto:
    """Convert a network.

    Args:
        model: Takes one input, ``image`` in uint8 or ``ids`` in int32, and gives softmax probabilities or
            those of the second of two classes.

    Returns:
        A checked ONNX model with that input, the output ``probabilities`` (batch, classes), a free first
        dimension called ``batch``, and constant shapes all the way.

    Raises:
        ExportError: The converted graph is not of that form.
    """
    tensor = model.inputs[0]
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)]

    @tf.function(input_signature=signature)
    def probabilities(batch: Any) -> Any:
        result = model(batch, training=False)
        if model.output_shape[-1] != 1:
            return result
        # (1 - p, p) as arithmetic: a Concat would be one more operation that accelerators treat apart.
        return tf.add(tf.matmul(result, [[-1.0, 1.0]]), [1.0, 0.0])

    with hold_back_chatter():
        proto, _ = tf2onnx.convert.from_function(probabilities, input_signature=signature, opset=OPSET)
    _rename(proto.graph, tensor.name)
    _fix_reshapes(proto)
    _drop_unused(proto.graph)
    _name_dimensions(proto.graph, classes=max(2, model.output_shape[-1]))
    proto.ir_version = IR_VERSION
    del proto.opset_import[:]
    proto.opset_import.append(helper.make_opsetid("", OPSET))
    proto.graph.name = model.name
    onnx.checker.check_model(proto, full_check=True)
    left = dynamic_operations(proto)
    if left:
        raise ExportError(
            f"the graph still computes shapes while it runs ({', '.join(left)}); nothing was written"
        )
    return proto


@contextmanager
def hold_back_chatter() -> Iterator[None]:
    """Keep what TensorFlow's C++ side writes to standard error while it converts, unless that fails.

    Those lines, about sessions and GPUs that are not there, follow none of its log settings.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def dynamic_operations(proto: onnx.ModelProto) -> tuple[str, ...]:
    """Name the operations that compute a shape, rather than data: ``Shape`` and what comes of it."""
    computed: set[str] = set()
    found = []
    for node in proto.graph.node:
        if node.op_type == "Shape" or (node.op_type in _DYNAMIC and computed.intersection(node.input)):
            computed.update(node.output)
            found.append(f"{node.op_type} {node.name}")
    return tuple(found)


def store_in_halves(proto: onnx.ModelProto, *, rounded_only: bool = False) -> None:
    """Store a graph's large constants in 16 bits, in place; it computes in 32 bits as before.

    Half the file, at a relative error of 1/2048 in each weight: right for what is looked at, such as a heat
    map. What is measured has to be rounded before (:func:`training.export.rounding.round_convolutions`).

    Args:
        proto: The graph.
        rounded_only: Leave constants alone that 16 bits would change.
    """
    graph = proto.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.raw_data) < _WORTH_HALVING:
            continue
        values = numpy_helper.to_array(tensor)
        halves = values.astype(np.float16)
        if rounded_only and not np.allclose(halves, values, rtol=_LAST_BITS, atol=0):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}__halves"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _rename(graph: onnx.GraphProto, name: str) -> None:
    """Give input and output their public names wherever they are used."""
    names = {graph.input[0].name: name, graph.output[0].name: _OUTPUT}
    for node in graph.node:
        node.input[:] = [names.get(part, part) for part in node.input]
        node.output[:] = [names.get(part, part) for part in node.output]
    graph.input[0].name = name
    graph.output[0].name = _OUTPUT


def _fix_reshapes(proto: onnx.ModelProto) -> None:
    """Replace computed target shapes by constants: all but the batch is known, and -1 stands for that."""
    inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True).graph
    known = {info.name: info for info in (*inferred.value_info, *inferred.output)}
    graph = proto.graph
    constants = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[1] in constants:
            continue
        if node.output[0] not in known:
            raise ExportError(f"the shape behind {node.name} is not known; nothing was written")
        sizes = [size.dim_value for size in known[node.output[0]].type.tensor_type.shape.dim]
        target = np.array([-1, *sizes[1:]], dtype=np.int64)
        if (target[1:] <= 0).any():
            raise ExportError(f"{node.name} has a second free dimension; nothing was written")
        graph.initializer.append(numpy_helper.from_array(target, f"{node.name}__target"))
        node.input[1] = f"{node.name}__target"


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and constants that no longer lead to the output."""
    needed = {graph.output[0].name}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    constants = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(constants)
    # What tf2onnx noted about tensors in between is only partly true after the changes, and needed by nobody.
    del graph.value_info[:]


def _name_dimensions(graph: onnx.GraphProto, *, classes: int) -> None:
    for info in (graph.input[0], graph.output[0]):
        sizes: list[int | str] = [size.dim_value for size in info.type.tensor_type.shape.dim]
        sizes = (
            ["batch", *(size or "length" for size in sizes[1:])]
            if info is graph.input[0]
            else ["batch", classes]
        )
        info.CopyFrom(helper.make_tensor_value_info(info.name, info.type.tensor_type.elem_type, sizes))
