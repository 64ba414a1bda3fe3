"""Converts networks with gated recurrent units to ONNX's own operation for them.

tf2onnx writes the recurrence of Keras as a loop over single steps, which computes shapes at run time. The
layer is therefore left out of the conversion, and its weights are put into a ``GRU`` node, which gets the
number of steps of each text.
"""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.networks.sequence import BidirectionalGRU

_VECTORS, _STATES = "gru_vectors", "gru_states"


def recurrent_layer(model: keras.Model) -> BidirectionalGRU | None:
    """Return the recurrent layer of a network; None if it has none."""
    return next((layer for layer in model.layers if isinstance(layer, BidirectionalGRU)), None)


class SplitNetwork:
    """A network without its recurrent layer, for the conversion.

    Args:
        model: Reads ids, and has the recurrent layer.
        layer: That layer; its input is ``[vectors, ids]``.

    Attributes:
        states: The input that stands for the output of the layer.
    """

    def __init__(self, model: keras.Model, layer: BidirectionalGRU) -> None:
        self._layer = layer
        self._before = keras.Model(model.input, layer.input[0])
        self._after = keras.Model([model.input, layer.output], model.output)
        self.states = keras.Input((None, 2 * layer.units), dtype="float32", name=_STATES)

    def run(self, ids: Any, states: Any) -> tuple[Any, dict[str, Any]]:
        """Return the network's output, and the further outputs of the conversion."""
        return self._after([ids, states], training=False), {_VECTORS: self._before(ids, training=False)}

    def join(self, proto: onnx.ModelProto) -> None:
        """Put the recurrent layer between the output ``vectors`` and the input ``states``, in their place."""
        graph = proto.graph
        first = _ancestors(graph, _VECTORS)
        nodes = [
            *(node for index, node in enumerate(graph.node) if index in first),
            *_recurrent_nodes(self._layer, ids=graph.input[0].name),
            *(node for index, node in enumerate(graph.node) if index not in first),
        ]
        del graph.node[:]
        graph.node.extend(nodes)
        graph.initializer.extend(_weights(self._layer))
        graph.input.remove(next(value for value in graph.input if value.name == _STATES))
        graph.output.remove(next(value for value in graph.output if value.name == _VECTORS))


def _ancestors(graph: onnx.GraphProto, name: str) -> set[int]:
    """Return the indices of the nodes that a value depends on."""
    needed, found = {name}, set()
    for index in reversed(range(len(graph.node))):
        if needed.intersection(graph.node[index].output):
            needed.update(graph.node[index].input)
            found.add(index)
    return found


def _recurrent_nodes(layer: BidirectionalGRU, *, ids: str) -> list[onnx.NodeProto]:
    """Return the nodes from the vectors (batch, steps, n) to the states (batch, steps, 2 * units)."""
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Slice", [ids, "gru/first", "gru/end", "gru/length_axis", "gru/stride"], "gru/first_ids", {}),
        ("Greater", ["gru/first_ids", "gru/padding"], "gru/is_word", {}),
        ("Cast", ["gru/is_word"], "gru/counted", {"to": TensorProto.INT32}),
        ("ReduceSum", ["gru/counted", "gru/length_axis"], "gru/lengths", {"keepdims": 0}),
        ("Transpose", [_VECTORS], "gru/by_step", {"perm": [1, 0, 2]}),
        (
            "GRU",
            ["gru/by_step", "gru/kernel", "gru/recurrent_kernel", "gru/bias", "gru/lengths"],
            "gru/directions",
            {"direction": "bidirectional", "hidden_size": layer.units, "linear_before_reset": 1},
        ),
        ("Transpose", ["gru/directions"], "gru/by_text", {"perm": [2, 0, 1, 3]}),
        ("Reshape", ["gru/by_text", "gru/shape"], _STATES, {}),
    ]
    return [
        helper.make_node(operation, inputs, [output], name=output, **attributes)
        for operation, inputs, output, attributes in steps
    ]


def _weights(layer: BidirectionalGRU) -> list[onnx.TensorProto]:
    """Return the constants of the nodes; Keras and ONNX have the gates in the same order."""
    cells = (layer.directions.forward_layer.cell, layer.directions.backward_layer.cell)
    weights = [cell.get_weights() for cell in cells]
    kernel, recurrent, bias = (np.stack(arrays) for arrays in zip(*weights, strict=True))
    arrays: dict[str, npt.NDArray[Any]] = {
        "gru/kernel": kernel.transpose(0, 2, 1),
        "gru/recurrent_kernel": recurrent.transpose(0, 2, 1),
        "gru/bias": bias.reshape(len(bias), -1),
        "gru/padding": np.array(0, np.int32),
        "gru/first": np.array([0], np.int64),
        "gru/end": np.array([np.iinfo(np.int64).max], np.int64),
        "gru/length_axis": np.array([1], np.int64),
        "gru/stride": np.array([layer.words_per_step], np.int64),
        "gru/shape": np.array([0, 0, 2 * layer.units], np.int64),
    }
    return [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()]
