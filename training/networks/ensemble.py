"""Combines trained networks into one: mean logits, mean weights, flip test-time augmentation."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from training.errors import RunError


def average_logits(models: Sequence[keras.Model], *, flip_tta: bool = False) -> keras.Model:
    """Make an ensemble that averages the logits of several networks (Hansen and Salamon 1990).

    Args:
        models: Networks of the same input and classes; each ends in a dense layer.
        flip_tta: Every second network gets the flipped image. Inputs are then (batch, height, width, ...).

    Returns:
        A network of the same input and output: the features of all networks, and one dense layer.
    """
    image = keras.Input(models[0].input.shape[1:], dtype=models[0].input.dtype, name=models[0].input.name)
    copies = [_copy(model) for model in models]
    members = [
        keras.Model(copy.input, copy.layers[-1].input, name=f"member_{number}")
        for number, copy in enumerate(copies, start=1)
    ]
    last = models[0].layers[-1]
    output_layer = keras.layers.Dense(last.units, activation=last.activation, name=last.name)
    flipped = image[:, :, ::-1] if flip_tta else image
    features = [member(flipped if index % 2 else image) for index, member in enumerate(members)]
    output = output_layer(ops.concatenate(features, axis=-1))
    kernels, biases = zip(*(model.layers[-1].get_weights() for model in models), strict=True)
    output_layer.set_weights([np.concatenate(kernels) / len(models), np.mean(biases, axis=0)])
    return keras.Model(image, output, name=models[0].name)


def average_weights(models: Sequence[keras.Model]) -> keras.Model:
    """Average the weights of networks that continue from a common run.

    The method is that of Wortsman et al. 2022, arXiv:2109.01903. Networks that were trained independently
    have no useful mean.

    Args:
        models: Networks of one architecture.

    Returns:
        The first network, with the mean weights.

    Raises:
        RunError: The architectures differ.
    """
    weights = [model.get_weights() for model in models]
    first, *others = ([array.shape for array in arrays] for arrays in weights)
    if any(shapes != first for shapes in others):
        raise RunError("the runs' networks have weights of other shapes; use --average logits")
    models[0].set_weights([np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)])
    return models[0]


def with_flip_tta(model: keras.Model) -> keras.Model:
    """Make a network that averages its logits over an image and the flipped image.

    Both images go through the network as one batch, so the graph contains the weights once.

    Args:
        model: Takes images (batch, height, width, channels) and ends in a dense layer. The mean of the
            features before that layer therefore gives the mean of the logits.

    Returns:
        A network of the same input and output, with copies of the layers and weights.
    """
    copy = _copy(model)
    features = keras.Model(copy.input, copy.layers[-1].input)
    image = keras.Input(model.input.shape[1:], dtype=model.input.dtype, name=model.input.name)
    both = ops.concatenate([image, image[:, :, ::-1]], axis=0)
    pairs = ops.reshape(features(both), (2, -1, features.output.shape[-1]))
    return keras.Model(image, copy.layers[-1](ops.mean(pairs, axis=0)), name=model.name)


def _copy(model: keras.Model) -> keras.Model:
    """Copy a network. A layer that it shares with other networks has several inputs; its copy has one."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
