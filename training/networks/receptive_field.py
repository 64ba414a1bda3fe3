"""Computes how many pixels of the picture each value of a layer depends on."""

from typing import Any

import keras

# Layers whose every output depends on the whole picture.
_GLOBAL = (
    keras.layers.Flatten,
    keras.layers.Dense,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
)
_POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


def receptive_fields(model: keras.Model) -> dict[str, int]:
    """Return the side of the receptive field of each layer before the first dense one or global pooling.

    A convolution or pooling of side k widens the field by k - 1 steps of its input; a stride of s makes the
    steps of what follows s times as long (Dumoulin and Visin 2016, arXiv:1603.07285). A layer with several
    inputs has the widest field.

    Args:
        model: A network of image layers; a nested network counts as the whole picture.

    Returns:
        The side in pixels by the layer's name; none for a network on texts.
    """
    reached: dict[int, tuple[int, int]] = {id(tensor): (1, 1) for tensor in model.inputs}
    fields: dict[str, int] = {}
    for layer in model.layers:
        inputs = _as_list(layer.input)
        before = [reached[id(tensor)] for tensor in inputs if id(tensor) in reached]
        if isinstance(layer, (keras.Model, *_GLOBAL)) or not before:
            continue
        if len(layer.output.shape) < 3:
            continue
        side, step = max(field for field, _ in before), max(step for _, step in before)
        window, stride = _window(layer)
        reached[id(layer.output)] = (side + (window - 1) * step, step * stride)
        fields[layer.name] = side + (window - 1) * step
    return fields if model.inputs and len(model.inputs[0].shape) > 2 else {}


def _as_list(tensors: Any) -> list[Any]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def _window(layer: keras.layers.Layer) -> tuple[int, int]:
    """Return side and stride of the window that a layer moves over the picture."""
    if isinstance(layer, _POOLING):
        return layer.pool_size[0], layer.strides[0]
    if isinstance(layer, keras.layers.Conv2D):
        return layer.kernel_size[0], layer.strides[0]
    return 1, 1
