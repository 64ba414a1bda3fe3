"""Builds the graph that explains an image classifier: feature maps, filters and, for some, a heat map.

The heat of a place is the sum over channels of activation times gradient of the label's logit (HiResCAM,
Draelos and Carin 2020). For a network that ends in global average pooling and one dense layer, this is the
exact class-activation map of Zhou et al. 2016; for a network of dense layers only, each pixel's share of the
logit. tf2onnx cannot convert TensorFlow's gradients, so this module differentiates the few layers after the
heat map with ordinary operations. The graph of any other network has no heat map; the service computes it by
occlusion (``service.inference.occlusion``).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from keras import layers, ops
from onnx import helper, numpy_helper

from training.errors import ExportError
from training.export.graph.conversion import convert
from training.networks.network import flat_layers

# The derivative of each activation, from its input and its output.
_SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda before, after: ops.cast(after > 0, "float32"),
    "elu": lambda before, after: ops.where(before > 0, 1.0, after + 1.0),
    "tanh": lambda before, after: 1.0 - ops.square(after),
    "sigmoid": lambda before, after: after * (1.0 - after),
    "silu": lambda before, after: after + ops.sigmoid(before) * (1.0 - after),
}
_HEAT, _FILTERS, _LABEL, _PIXELS = "heat", "filters", "label", "image"


@dataclass(frozen=True)
class ExplanationGraph:
    """A graph that explains a network.

    Attributes:
        proto: Has the network's input ``image``. Its outputs are one of each name in ``layers``, float32
            (batch, height, width, channels), and, if there is a convolution, ``filters``, the first
            convolution's weights, float32 (height, width, channels, filters). With a ``heat_layer`` it also
            has the input ``label``, float32 (batch, classes), one-hot, and the output ``heat``, float32
            (batch, height, width), signed.
        layers: Names of the convolutional layers, from the first; their outputs include the activation.
        heat_layer: Layer that the heat map belongs to, ``image`` for the pixels; empty if there is none.
    """

    proto: onnx.ModelProto
    layers: tuple[str, ...]
    heat_layer: str


@dataclass(frozen=True)
class _Step:
    """A layer of the forward pass with its input and output."""

    layer: keras.layers.Layer
    before: Any
    after: Any


def build_explanation(models: Sequence[keras.Model]) -> ExplanationGraph:
    """Build the graph that explains an image classifier, or an ensemble whose logits are averaged.

    Args:
        models: The network, or those of an ensemble. The heat map is of all of them, the feature maps are of
            the first. Each is a sequence of layers, one of which may be a pretrained base, or a residual
            network; it returns softmax probabilities, or the sigmoid probability of the second of two labels.

    Raises:
        ExportError: This module cannot differentiate a layer of a network without convolutions. One with
            convolutions has no heat map then.
    """
    first, image = models[0], models[0].inputs[0]
    names: list[str] = []
    heat_layer = ""

    def run(image: Any, label: Any = None) -> dict[str, Any]:
        nonlocal heat_layer
        steps = _forward(first, image)
        maps = _feature_maps(steps)
        names[:] = list(maps)
        if label is None:
            return maps
        start = steps[_heat_start(steps)].before
        heat_layer = next((name for name, value in maps.items() if value is start), _PIXELS)
        passes = [steps, *(_forward(model, image) for model in models[1:])]
        heat = sum(_heat(each[_heat_start(each) :], label) for each in passes) / float(len(passes))
        return {**maps, _HEAT: heat}

    pixels = tf.TensorSpec(image.shape, image.dtype, name=_PIXELS)
    label = tf.TensorSpec((None, max(2, first.output_shape[-1])), tf.float32, name=_LABEL)
    try:
        proto = convert(run, [pixels, label] if all(map(_has_exact_heat, models)) else [pixels])
    except ExportError:
        if not any(map(_is_convolution, flat_layers(first))):
            raise  # without a heat map, there would be nothing to explain
        heat_layer = ""
        proto = convert(run, [pixels])
    _name_batches(proto.graph)
    _add_filters(proto.graph, first)
    onnx.checker.check_model(proto)
    return ExplanationGraph(proto, tuple(names), heat_layer)


def _has_exact_heat(model: keras.Model) -> bool:
    """Return whether a network ends in global average pooling, or has only dense layers."""
    pooled = any(isinstance(layer, layers.GlobalAveragePooling2D) for layer in model.layers)
    return pooled or not any(map(_is_convolution, flat_layers(model)))


def _forward(model: keras.Model, tensor: Any) -> list[_Step]:
    """Run a batch through the network and return each layer's input and output, including a base's layers."""
    called = [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    if any(isinstance(layer.input, list | tuple) for layer in called) or _has_operations(model):
        nested = next((layer.name for layer in called if isinstance(layer, keras.Model)), None)
        if nested:
            raise ExportError(
                f"cannot explain a network with branches or keras.ops beside the nested network {nested}; "
                "use layers such as Rescaling in their place"
            )
        return _forward_branched(model, tensor, called)
    steps: list[_Step] = []
    for layer in called:
        if not isinstance(layer, keras.Model):
            steps.append(_Step(layer, tensor, layer(tensor, training=False)))
        elif len(layer.input.shape) == 2:
            steps += _forward(layer, tensor)  # a classifier, which is a sequence itself
        else:
            # A pretrained base has branches, so its layers cannot be called one after the other.
            inner = [part for part in layer.layers if _is_convolution(part) or _is_activation(part)]
            steps += _forward_branched(layer, tensor, [*inner, layer.layers[-1]])
        tensor = steps[-1].after
    return steps


def _has_operations(model: keras.Model) -> bool:
    """Return whether operations of ``keras.ops`` stand between the layers."""
    return len(model.operations) > len(model.layers)


def _forward_branched(model: keras.Model, tensor: Any, chosen: Sequence[keras.layers.Layer]) -> list[_Step]:
    """Return the inputs and outputs of some layers of a network with branches; None for several inputs."""
    outputs = [layer.output for layer in chosen]
    values = keras.Model(model.input, outputs)(tensor, training=False)
    known = {id(model.input): tensor} | {id(name): value for name, value in zip(outputs, values, strict=True)}
    return [
        _Step(layer, known.get(id(layer.input)), value) for layer, value in zip(chosen, values, strict=True)
    ]


def _feature_maps(steps: Sequence[_Step]) -> dict[str, Any]:
    """Return each convolution's output by the layer's name, after a separate activation if one follows."""
    maps: dict[str, Any] = {}
    last = ""
    for step in steps:
        if _is_convolution(step.layer):
            last = step.layer.name
            maps[last] = step.after
        elif last and _is_activation(step.layer) and step.after.shape == maps[last].shape:
            maps[last] = step.after
            last = ""
    return maps


def _heat_start(steps: Sequence[_Step]) -> int:
    """Return the step whose input the heat map belongs to: the pooling, or the flattening."""
    return next(i for i, step in enumerate(steps) if len(step.after.shape) == 2)


def _heat(steps: Sequence[_Step], label: Any) -> Any:
    """Return activation times gradient at the first step's input, summed over channels."""
    weights = steps[-1].layer.kernel
    if weights.shape[1] == 1:
        # A single sigmoid unit is the second class; the first one's logit is its negative.
        weights = ops.matmul(weights, [[-1.0, 1.0]])
    gradient = ops.matmul(label, ops.transpose(weights))
    for step, following in reversed([*itertools.pairwise(steps)]):
        if following.before is not step.after:
            raise ExportError(f"cannot compute a heat map through what follows layer {step.layer.name}")
        gradient = _backward(step, gradient)
    return ops.sum(steps[0].before * gradient, axis=-1)


def _backward(step: _Step, gradient: Any) -> Any:
    """Return the gradient at a layer's input, given the one at its output."""
    layer, before, after = step.layer, step.before, step.after
    match layer:
        case layers.Dropout():
            return gradient
        case layers.Flatten() | layers.Reshape():
            return ops.reshape(gradient, (-1, *before.shape[1:]))
        case layers.GlobalAveragePooling2D():
            places = float(before.shape[1] * before.shape[2])
            return ops.reshape(gradient, (-1, 1, 1, before.shape[-1])) / places
        case layers.BatchNormalization():
            factor = layer.gamma if layer.scale else 1.0
            return gradient * factor / ops.sqrt(layer.moving_variance + layer.epsilon)
        case layers.Activation() if slope := _slope(layer):
            return gradient * slope(before, after)
        case layers.Dense() if layer.activation is keras.activations.linear:
            return ops.matmul(gradient, ops.transpose(layer.kernel))
        case layers.Dense() if slope := _slope(layer):
            sums = ops.matmul(before, layer.kernel) + (layer.bias if layer.use_bias else 0.0)
            return ops.matmul(gradient * slope(sums, after), ops.transpose(layer.kernel))
    raise ExportError(f"cannot compute a heat map through layer {layer.name} ({type(layer).__name__})")


def _slope(layer: keras.layers.Layer) -> Callable[[Any, Any], Any] | None:
    """Return the derivative of a layer's activation, if it is known."""
    return _SLOPES.get(getattr(layer.activation, "__name__", ""))


def _name_batches(graph: onnx.GraphProto) -> None:
    """Name the free dimension of the inputs and outputs, which is the batch."""
    for info in (*graph.input, *graph.output):
        for size in info.type.tensor_type.shape.dim:
            if not size.dim_value:
                size.dim_param = "batch"


def _add_filters(graph: onnx.GraphProto, model: keras.Model) -> None:
    """Add the first convolution's weights as an output."""
    for layer in filter(_is_convolution, flat_layers(model)):
        weights, name = layer.get_weights()[0].astype(np.float32), f"{_FILTERS}__weights"
        graph.initializer.append(numpy_helper.from_array(weights, name))
        graph.node.append(helper.make_node("Identity", [name], [_FILTERS], name=_FILTERS))
        graph.output.append(helper.make_tensor_value_info(_FILTERS, onnx.TensorProto.FLOAT, weights.shape))
        return


def _is_convolution(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, layers.Conv2D) and not isinstance(layer, layers.DepthwiseConv2D)


def _is_activation(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, layers.Activation | layers.ReLU | layers.ELU)
