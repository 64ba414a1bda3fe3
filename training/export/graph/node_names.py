"""Names the nodes of an ONNX graph after the layers that they come from."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
from onnx import numpy_helper

_MEMBER = re.compile(r"member_(\d+)")
_SMALLEST_LENGTH, _TOLERANCE = 1e-12, 1e-3


class LayerScopes:
    """The name scopes of TensorFlow in which the layers of a network compute.

    TensorFlow numbers scopes in its own way: that of a layer ``conv2d`` may be ``functional_1/conv2d_1``.

    Args:
        model: The network. Layers of the second network of an ensemble begin with ``2/``, as on its card.
    """

    def __init__(self, model: keras.Model) -> None:
        self._layers = list(_named_layers(model))
        self._names: dict[str, str] = {}  # of the layers, by scope

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
        constants = {tensor.name: tensor for tensor in graph.initializer}
        kernels = {
            name: _directions(_onnx_order(layer))
            for name, layer in self._layers
            if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
        }
        for node in graph.node:
            layer = None
            if node.op_type == "Conv" and node.input[1] in constants:
                # A merged batch normalisation has left the node without its name.
                layer = _same_kernel(numpy_helper.to_array(constants[node.input[1]]), kernels)
            layer = layer or next(filter(None, map(self._name_of, (node.name, *node.output))), None)
            if layer is None:
                continue
            name = f"{layer}/{node.op_type}"
            node.name = f"{name}_{count[name]}" if count[name] else name
            count[name] += 1

    def _name_of(self, path: str) -> str | None:
        """Return the layer with the longest scope that is a prefix of a name."""
        scopes = path.split("/")[:-1]
        ends = range(len(scopes), 0, -1)
        return next(filter(None, (self._names.get("/".join(scopes[:end])) for end in ends)), None)


def _onnx_order(layer: keras.layers.Layer) -> npt.NDArray[np.float32]:
    """Return the kernel of a convolution in ONNX's order: (filters, channels, height, width)."""
    kernel = np.asarray(layer.get_weights()[0], dtype=np.float32)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return kernel.reshape(*kernel.shape[:2], 1, -1).transpose(3, 2, 0, 1)
    return kernel.transpose(3, 2, 0, 1)


def _directions(kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a kernel with filters of length one, without signs, which no merged normalisation changes."""
    lengths = np.linalg.norm(kernel.reshape(len(kernel), -1), axis=1)
    scale = np.maximum(lengths, _SMALLEST_LENGTH).astype(np.float32)
    directions: npt.NDArray[np.float32] = np.abs(kernel) / scale[:, None, None, None]
    return directions


def _same_kernel(
    kernel: npt.NDArray[np.float32], kernels: Mapping[str, npt.NDArray[np.float32]]
) -> str | None:
    """Return the layer that has a kernel, apart from the lengths of its filters."""
    wanted = _directions(kernel)
    for name, directions in kernels.items():
        if directions.shape == wanted.shape and np.allclose(directions, wanted, atol=_TOLERANCE):
            return name
    return None


def _named_layers(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yield the layers of a network and of nested ones with their names on the card."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            member = _MEMBER.fullmatch(layer.name)
            inner = f"{member[1]}/" if member and member[1] != "1" else prefix
            yield from _named_layers(layer, inner)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer
