"""Copies the weights of a trained network into a network that continues it."""

import keras


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights of a network.

    Args:
        source: The trained network.
        target: A network of the same architecture, or one with further layers. If it has further layers,
            those of the source are found by their names.

    Raises:
        ValueError: The target lacks a layer of the source, or has one of another shape.
    """
    weights = source.get_weights()
    if len(weights) == len(target.get_weights()):
        target.set_weights(weights)
        return
    for layer in source.layers:
        if layer.weights:
            target.get_layer(layer.name).set_weights(layer.get_weights())
