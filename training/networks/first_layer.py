"""Returns the weights of a network's first layer as small pictures."""

import keras
import numpy as np

from service.inference.training_events import FirstFilters
from training.networks.network import flat_layers

# More would fit neither into a row on the screen nor well into a line of JSON.
_MOST_FILTERS, _MOST_UNITS = 32, 16
_DIGITS = 4


def first_filters(model: keras.Model, *, epoch: int) -> FirstFilters | None:
    """Return the filters of the first convolution, or the weights of the first dense units as pictures.

    Args:
        model: A network for pictures.
        epoch: Number of finished epochs.

    Returns:
        At most 32 filters or 16 units; None if the first layer with weights is of another kind, or if a dense
        layer does not read the pixels themselves.
    """
    for layer in flat_layers(model):
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.asarray(layer.kernel)[..., :_MOST_FILTERS]  # (height, width, depth, filters)
            return _filters(layer.name, kernel.transpose(3, 0, 1, 2), epoch)
        if isinstance(layer, keras.layers.Dense):
            shape = model.input_shape[1:]
            kernel = np.asarray(layer.kernel)[:, :_MOST_UNITS]
            if len(shape) < 2 or kernel.shape[0] != np.prod(shape):
                return None
            height, width = shape[:2]
            return _filters(layer.name, kernel.T.reshape(kernel.shape[1], height, width, -1), epoch)
    return None


def _filters(name: str, values: np.ndarray, epoch: int) -> FirstFilters:
    count, height, width, depth = values.shape
    # Rounded to what a screen can show.
    scale = float(np.abs(values).max()) or 1.0
    digits = max(_DIGITS - int(np.ceil(np.log10(scale))), 0)
    rounded = tuple(round(float(value), digits) for value in values.ravel())
    return FirstFilters(epoch=epoch, layer=name, shape=(count, height, width, depth), values=rounded)
