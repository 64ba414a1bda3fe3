"""Owns making one network of several: the mean of what they say, or of their weights."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from training.errors import RunError


def committee(models: Sequence[keras.Model], *, mirror: bool = False) -> keras.Model:
    """Make a network that averages the logits of several.

    Networks that began with other seeds err on other examples, and those of other kinds even more so, so that
    their mean is right more often than each of them (Hansen and Salamon 1990). It takes the time of all.

    Args:
        models: Of the same input and classes, each ending in a dense layer.
        mirror: Every second one looks at the mirror image, which costs nothing, and lets them err apart more.
            For pictures (batch, height, width, ...) in which left and right mean nothing.

    Returns:
        A network of that input and output: the features of all, and one dense layer for their mean.
    """
    picture = keras.Input(models[0].input.shape[1:], dtype=models[0].input.dtype, name=models[0].input.name)
    members = [
        keras.Model(model.input, model.layers[-1].input, name=f"member_{number}")
        for number, model in enumerate(models, start=1)
    ]
    last = models[0].layers[-1]
    mean = keras.layers.Dense(last.units, activation=last.activation, name=last.name)
    reflected = picture[:, :, ::-1] if mirror else picture
    features = [member(reflected if place % 2 else picture) for place, member in enumerate(members)]
    output = mean(ops.concatenate(features, axis=-1))
    kernels, biases = zip(*(model.layers[-1].get_weights() for model in models), strict=True)
    mean.set_weights([np.concatenate(kernels) / len(models), np.mean(biases, axis=0)])
    return keras.Model(picture, output, name=models[0].name)


def average_weights(models: Sequence[keras.Model]) -> keras.Model:
    """Make a network whose weights are the mean of those of several.

    Of networks of which one goes on from another, the mean has what each of them is good at (Wortsman et al.
    2022, arXiv:2109.01903), and takes no more time than one. Of networks that began apart it knows nothing.

    Args:
        models: Of one architecture.

    Returns:
        The first of them, with the mean weights.

    Raises:
        RunError: They are of different architectures.
    """
    weights = [model.get_weights() for model in models]
    first, *others = ([array.shape for array in arrays] for arrays in weights)
    if any(shapes != first for shapes in others):
        raise RunError("the runs' networks have weights of other shapes; leave out --weights")
    models[0].set_weights([np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)])
    return models[0]
