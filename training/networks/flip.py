"""Owns letting a network look at a picture twice: as it is, and in the mirror."""

import keras
from keras import ops


def with_mirror(model: keras.Model) -> keras.Model:
    """Make a network that averages its logits over a picture and its mirror image.

    For photos, in which left and right mean nothing, this costs twice the time and gains what two networks
    would. Both go through the network as one batch, so its weights are in the graph once.

    Args:
        model: Takes pictures (batch, height, width, channels), and ends in a dense layer, which makes the
            mean of the features before it the same as that of the logits.

    Returns:
        A network of the same input, output and layers, sharing the weights.
    """
    features = keras.Model(model.input, model.layers[-1].input)
    picture = keras.Input(model.input.shape[1:], dtype=model.input.dtype, name=model.input.name)
    both = ops.concatenate([picture, picture[:, :, ::-1]], axis=0)
    halves = ops.reshape(features(both), (2, -1, features.output.shape[-1]))
    return keras.Model(picture, model.layers[-1](ops.mean(halves, axis=0)), name=model.name)
