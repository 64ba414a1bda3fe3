"""Rounds weights to float16 and stores them as float16, which halves a file; networks compute in float32."""

import keras
import numpy as np
import onnx
from onnx import helper, numpy_helper

from training.networks.network import flat_layers

_SMALLEST_TENSOR = 10_000  # bytes; smaller ones would save less than their Cast node takes
# Relative error that the export's own float32 arithmetic may add to a rounded value.
_EXPORT_TOLERANCE = 1e-6


def round_convolutions(model: keras.Model) -> None:
    """Round the kernels of a network's convolutions to float16, in place.

    A batch normalisation that follows a convolution is folded into its kernel first. The export would fold it
    otherwise, and the values would no longer be rounded. Nested networks are rounded, too.

    Args:
        model: A trained network; its predictions change a little.
    """
    layers = list(flat_layers(model))
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            source = layer.input._keras_history.operation
            if isinstance(source, keras.layers.Conv2D):
                _fold(layer, source)
    for layer in layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(layer.get_weights()[0].astype(np.float16).astype(np.float32))


def store_as_float16(proto: onnx.ModelProto, *, only_rounded: bool = False) -> None:
    """Store a graph's large constants as float16, followed by a Cast to float32, in place.

    The relative error of a weight is at most 1/2048. That is acceptable in an explanation graph; a network
    that is measured has to be rounded before.

    Args:
        proto: The graph.
        only_rounded: Skip constants that float16 would change.
    """
    graph = proto.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.raw_data) < _SMALLEST_TENSOR:
            continue
        values = numpy_helper.to_array(tensor)
        rounded = values.astype(np.float16)
        if only_rounded and not np.allclose(rounded, values, rtol=_EXPORT_TOLERANCE, atol=0):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(rounded, f"{name}__float16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _fold(normalization: keras.layers.BatchNormalization, convolution: keras.layers.Conv2D) -> None:
    """Scale a kernel so that the variance and gamma of its batch normalisation become one."""
    deviation = np.sqrt(np.asarray(normalization.moving_variance) + normalization.epsilon)
    gamma = np.asarray(normalization.gamma) if normalization.scale else 1.0
    factor = (gamma / deviation).astype(np.float32)
    convolution.set_weights([values * factor for values in convolution.get_weights()])
    normalization.moving_mean.assign(np.asarray(normalization.moving_mean) * factor)
    normalization.moving_variance.assign(np.full_like(deviation, 1 - normalization.epsilon))
    if normalization.scale:
        normalization.gamma.assign(np.ones_like(deviation))
