"""Names the nodes of an ONNX graph after the layers that they come from."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import onnx
import tensorflow as tf

_MEMBER = re.compile(r"member_(\d+)")
# Operations that a batch normalisation after them may be merged into.
_MERGED = ("Conv", "Gemm", "MatMul")


class LayerScopes:
    """The name scopes of TensorFlow in which the layers of a network compute.

    TensorFlow numbers scopes in its own way: that of a layer ``conv2d`` may be ``functional_1/conv2d_1``.

    Args:
        model: The network. Layers of the second network of an ensemble begin with ``2/``, as on its card.
    """

    def __init__(self, model: keras.Model) -> None:
        self._layers = list(_named_layers(model))
        self._names: dict[str, str] = {}  # of the layers, by scope
        outputs = {id(layer.output): name for name, layer in self._layers}
        # The layer before each batch normalisation.
        self._before = {
            name: outputs[id(layer.input)]
            for name, layer in self._layers
            if isinstance(layer, keras.layers.BatchNormalization) and id(layer.input) in outputs
        }

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record the scope of each layer that is called in this context."""
        for name, layer in self._layers:
            layer.call = self._recording(name, layer.call)
        try:
            yield
        finally:
            for _, layer in self._layers:
                del layer.call

    def _recording(self, name: str, call: Any) -> Any:
        def record(*arguments: Any, **options: Any) -> Any:
            self._names[tf.get_current_name_scope()] = name
            return call(*arguments, **options)

        return record

    def rename(self, graph: onnx.GraphProto) -> None:
        """Name each node after its layer and its operation, such as ``conv2d/Conv``."""
        count: Counter[str] = Counter()
        for node in graph.node:
            layer = self._layer_of(node)
            if layer is None:
                continue
            name = f"{layer}/{node.op_type}"
            node.name = f"{name}_{count[name]}" if count[name] else name
            count[name] += 1

    def _layer_of(self, node: onnx.NodeProto) -> str | None:
        found = next(filter(None, map(self._name_of, (node.name, *node.output))), None)
        if found is not None and node.op_type in _MERGED:
            return self._before.get(found, found)
        return found

    def _name_of(self, path: str) -> str | None:
        """Return the layer whose scope is the longest that a name begins with."""
        scopes = path.split("/")[:-1]
        ends = range(len(scopes), 0, -1)
        return next(filter(None, (self._names.get("/".join(scopes[:end])) for end in ends)), None)


def _named_layers(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yield the layers of a network and of nested ones with their names on the card."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            member = _MEMBER.fullmatch(layer.name)
            inner = f"{member[1]}/" if member and member[1] != "1" else prefix
            yield from _named_layers(layer, inner)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer
