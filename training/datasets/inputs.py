"""Turns images and texts into the network's inputs with the preprocessing of the server."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing import Vocabulary, pad, picture_preparation
from training.datasets.dataset import Examples


def encode(texts: npt.NDArray[Any], *, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Encode texts (n,) as int32 token ids (n, length), padded with 0."""
    return pad([vocabulary.encode(text) for text in texts])


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
