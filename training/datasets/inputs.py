"""Turns images into the network's inputs with the preprocessing of the server."""

import numpy as np
from PIL import Image

from service.inference.preprocessing import picture_preparation
from training.datasets.dataset import Examples


def as_served(examples: Examples, *, preprocessing: str) -> Examples:
    """Apply the preprocessing of the server to images that are arrays already.

    Args:
        examples: uint8 images of the network's size, or token ids, which stay as they are.
        preprocessing: Kind of preprocessing on the card.
    """
    if preprocessing == "text":
        return examples
    prepare = picture_preparation(preprocessing, size=examples.x.shape[1])
    rows = [prepare(Image.fromarray(image)) for image in examples.x]
    return Examples(np.stack(rows), examples.y)
