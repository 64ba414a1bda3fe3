"""Owns making one network of several: the mean of what they say, or a gate between two kinds of them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops


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
    picture = _input_like(models[0])
    reflected = picture[:, :, ::-1] if mirror else picture
    features = [
        member(reflected if place % 2 else picture) for place, member in enumerate(_without_last(models))
    ]
    kernels, biases = zip(*(model.layers[-1].get_weights() for model in models), strict=True)
    weights = [np.concatenate(kernels) / len(models), np.mean(biases, axis=0)]
    return _finish(models[0], picture, features, weights=weights)


def gated_committee(models: Sequence[keras.Model], *, pens: Sequence[bool], gate: keras.Model) -> keras.Model:
    """Make a network that weighs the logits of two kinds of networks, for each picture anew.

    Args:
        models: Of the same input and classes, each ending in a dense layer.
        pens: Which of them are for pictures drawn with a pen; some are, some are not.
        gate: Says in (batch, 1) what weight those get, 0 to 1, of the logits' mean; the rest is the others'.

    Returns:
        A network of that input and output: all features, weighed, and one dense layer.
    """
    picture = _input_like(models[0])
    inner = keras.Model(gate.input, gate.output, name="gate")
    weight = inner(picture)
    features = [
        member(picture) * (weight if pen else 1 - weight)
        for member, pen in zip(_without_last(models), pens, strict=True)
    ]
    lasts = [model.layers[-1].get_weights() for model in models]
    kernels = [kernel / pens.count(pen) for (kernel, _), pen in zip(lasts, pens, strict=True)]
    scanned, drawn = (
        np.mean([bias for (_, bias), pen in zip(lasts, pens, strict=True) if pen == kind], axis=0)
        for kind in (False, True)
    )
    # The gate's weight is a feature too: what it moves is the bias.
    weights = [np.concatenate([*kernels, [drawn - scanned]]), scanned]
    return _finish(models[0], picture, [*features, weight], weights=weights)


def _input_like(model: keras.Model) -> Any:
    return keras.Input(model.input.shape[1:], dtype=model.input.dtype, name=model.input.name)


def _without_last(models: Sequence[keras.Model]) -> list[keras.Model]:
    """Return networks that end in what the last layer of each takes."""
    return [
        keras.Model(model.input, model.layers[-1].input, name=f"member_{number}")
        for number, model in enumerate(models, start=1)
    ]


def _finish(
    first: keras.Model, picture: Any, features: Sequence[Any], *, weights: Sequence[npt.NDArray[Any]]
) -> keras.Model:
    """Put one dense layer, otherwise like that of the first network, on the features of all."""
    last = first.layers[-1]
    dense = keras.layers.Dense(last.units, activation=last.activation, name=last.name)
    output = dense(ops.concatenate(features, axis=-1))
    dense.set_weights(weights)
    return keras.Model(picture, output, name=first.name)
