"""Owns the second graph of a picture network: feature maps, and a heat map where gradients make a good one.

The heat of a place is the sum over channels of activation times gradient of the label's logit (HiResCAM,
Draelos and Carin 2020). Where the network ends in global average pooling and one dense layer this is the
exact class-activation map of Zhou et al. 2016; where it has dense layers only, each pixel's share. tf2onnx
cannot convert the gradients that TensorFlow makes, so those few layers are differentiated here, by ordinary
operations. All other networks get no heat here: hiding parts of the picture tells more of what they see
(``service.inference.occlusion``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers, ops
from onnx import helper, numpy_helper

from training.errors import ExportError
from training.export.onnx_graph import IR_VERSION, OPSET, hold_back_chatter

_HEAT, _FILTERS, _LABEL, _PIXELS = "heat", "filters", "label", "image"


@dataclass(frozen=True)
class ExplanationGraph:
    """A graph that explains a network.

    Attributes:
        proto: Takes ``image`` as the network does. Gives for each of ``layers`` an output of that name,
            float32 (batch, height, width, channels); and, if there is a convolution, ``filters``: the first
            one's weights, float32 (height, width, channels, filters). With a ``heat_layer`` it also takes
            ``label``, float32 (batch, classes), one-hot, and gives ``heat``, float32 (batch, height, width),
            signed.
        layers: Names of the convolutional layers, from the first; what comes out is after the activation.
        heat_layer: The layer that the heat is of, ``image`` for the pixels themselves; empty if it has none.
    """

    proto: onnx.ModelProto
    layers: tuple[str, ...]
    heat_layer: str


@dataclass(frozen=True)
class _Step:
    """A layer on a picture's way through the network, with what came in and what went out."""

    layer: keras.layers.Layer
    before: Any
    after: Any


def explain(model: keras.Model, *, others: Sequence[keras.Model] = ()) -> ExplanationGraph:
    """Build the graph that explains a picture network, or several whose logits are averaged.

    Args:
        model: A chain of layers, one of them possibly a pretrained base, or a network with shortcuts, that
            ends in softmax probabilities or in the sigmoid of the second of two classes.
        others: Of the same kind; they share in the heat, and feature maps are of the first alone.

    Raises:
        ExportError: Between the heat and the output lies a layer of a kind that is not differentiated here.
    """
    image = model.inputs[0]
    names: list[str] = []
    heat_layer = ""

    @tf.function(autograph=False)
    def run(image: Any, label: Any = None) -> dict[str, Any]:
        nonlocal heat_layer
        steps = _walk(model, image)
        maps = _feature_maps(steps)
        names[:] = list(maps)
        if label is None:
            return maps
        start = _heat_start(steps)
        heat_layer = next((name for name, value in maps.items() if value is steps[start].before), _PIXELS)
        ways = [steps, *(_walk(other, image) for other in others)]
        heat = sum(_heat(way[_heat_start(way) :], label) for way in ways) / float(len(ways))
        return {**maps, _HEAT: heat}

    signature = [tf.TensorSpec(image.shape, image.dtype, name=_PIXELS)]
    if all(heat_is_exact(each) for each in (model, *others)):
        classes = max(2, model.output_shape[-1])
        signature.append(tf.TensorSpec((None, classes), tf.float32, name=_LABEL))
    with hold_back_chatter():
        proto, _ = tf2onnx.convert.from_function(run, input_signature=signature, opset=OPSET)
    _add_filters(proto.graph, model)
    proto.ir_version = IR_VERSION
    onnx.checker.check_model(proto)
    return ExplanationGraph(proto, tuple(names), heat_layer)


def _walk(model: keras.Model, tensor: Any) -> list[_Step]:
    """Send a batch through the network and note each layer's input and output, those of a base inside too."""
    if any(isinstance(layer, layers.Add) for layer in model.layers):
        parts = [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]
        return _branches(model, tensor, parts)
    steps: list[_Step] = []
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        if isinstance(layer, keras.Model) and len(layer.input.shape) == 2:
            steps += _walk(layer, tensor)  # a classifier, a chain itself
            tensor = steps[-1].after
            continue
        if isinstance(layer, keras.Model):
            # A pretrained base branches, so that its layers cannot be called one after the other.
            inner = [part for part in layer.layers if _is_convolution(part) or _is_activation(part)]
            *inside, last = _branches(layer, tensor, [*inner, layer.layers[-1]])
            steps += inside
            after = last.after
        else:
            after = layer(tensor, training=False) if isinstance(layer, _MODAL) else layer(tensor)
        steps.append(_Step(layer, tensor, after))
        tensor = after
    return steps


def _branches(model: keras.Model, tensor: Any, parts: Sequence[keras.layers.Layer]) -> list[_Step]:
    """Return what goes in and out of some layers of a network that is no chain; of several inputs none."""
    outputs = [part.output for part in parts]
    values = keras.Model(model.input, outputs)(tensor, training=False)
    known = {id(model.input): tensor} | {id(name): value for name, value in zip(outputs, values, strict=True)}
    return [_Step(part, known.get(id(part.input)), value) for part, value in zip(parts, values, strict=True)]


def _feature_maps(steps: Sequence[_Step]) -> dict[str, Any]:
    """Return each convolution's output by the layer's name, after its activation if it has one of its own."""
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


def heat_is_exact(model: keras.Model) -> bool:
    """Return whether a network ends in global average pooling, or is of dense layers from the pixels on."""
    pooled = any(isinstance(layer, layers.GlobalAveragePooling2D) for layer in model.layers)
    return pooled or not any(_is_convolution(part) for part in _parts(model))


def _heat_start(steps: Sequence[_Step]) -> int:
    """Return the step behind what the heat is of: the pooling, or in a dense network the flattening."""
    return next(i for i, step in enumerate(steps) if len(step.after.shape) == 2)


def _heat(steps: Sequence[_Step], label: Any) -> Any:
    """Return activation times gradient at the first step's input, summed over channels."""
    output = steps[-1].layer
    weights = output.kernel
    if weights.shape[1] == 1:
        # One sigmoid unit stands for the second class; the first one's logit is its negative.
        weights = ops.matmul(weights, [[-1.0, 1.0]])
    gradient = ops.matmul(label, ops.transpose(weights))
    for step in reversed(steps[:-1]):
        gradient = _backward(step, gradient)
    return ops.sum(steps[0].before * gradient, axis=-1)


def _backward(step: _Step, gradient: Any) -> Any:
    """Return the gradient at a layer's input from the one at its output."""
    layer, before, after = step.layer, step.before, step.after
    match layer:
        case layers.Dropout():
            return gradient
        case layers.Flatten() | layers.Reshape():
            return ops.reshape(gradient, (-1, *before.shape[1:]))
        case layers.GlobalAveragePooling2D():
            return ops.reshape(gradient, (-1, 1, 1, before.shape[-1])) / float(
                before.shape[1] * before.shape[2]
            )
        case layers.BatchNormalization():
            factor = layer.gamma if layer.scale else 1.0
            return gradient * factor / ops.sqrt(layer.moving_variance + layer.epsilon)
        case layers.Activation() if layer.activation is keras.activations.relu:
            return gradient * ops.cast(after > 0, "float32")
        case layers.Dense() if layer.activation is keras.activations.linear:
            return ops.matmul(gradient, ops.transpose(layer.kernel))
    raise ExportError(f"the heat map cannot be computed through layer {layer.name} ({type(layer).__name__})")


def _add_filters(graph: onnx.GraphProto, model: keras.Model) -> None:
    """Make the first convolution's weights an output."""
    first = next((layer for layer in _parts(model) if _is_convolution(layer)), None)
    if first is None:
        return
    weights = first.get_weights()[0].astype(np.float32)
    graph.initializer.append(numpy_helper.from_array(weights, f"{_FILTERS}__weights"))
    graph.node.append(helper.make_node("Identity", [f"{_FILTERS}__weights"], [_FILTERS], name=_FILTERS))
    graph.output.append(helper.make_tensor_value_info(_FILTERS, onnx.TensorProto.FLOAT, weights.shape))


def _parts(model: keras.Model) -> list[keras.layers.Layer]:
    """Return a network's layers, those of a base inside too."""
    return [
        part
        for layer in model.layers
        for part in (layer.layers if isinstance(layer, keras.Model) else [layer])
    ]


def _is_convolution(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, layers.Conv2D) and not isinstance(layer, layers.DepthwiseConv2D)


def _is_activation(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, layers.Activation | layers.ReLU | layers.ELU)


_MODAL = (layers.Dropout, layers.BatchNormalization)
