"""Turns images and texts into the network's inputs with the preprocessing of the server."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing import Vocabulary, pad, prepare_digit, prepare_garment, prepare_photo
from training.datasets.dataset import Examples


def preprocess_image(image: Image.Image, *, preprocessing: str, size: int | None) -> npt.NDArray[np.uint8]:
    """Preprocess one image.

    Args:
        image: Any image.
        preprocessing: ``digit``, ``garment`` or ``photo``.
        size: Side of ``photo`` images in pixels.

    Returns:
        uint8 (28, 28), or for photos (size, size, 3).

    Raises:
        InputError: The image is blank.
    """
    if preprocessing == "photo":
        assert size is not None, "recipes and cards of photos name a size"
        return prepare_photo(image, size=size)
    return prepare_digit(image) if preprocessing == "digit" else prepare_garment(image)


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
    images, size = map(Image.fromarray, examples.x), examples.x.shape[1]
    rows = [preprocess_image(image, preprocessing=preprocessing, size=size) for image in images]
    return Examples(np.stack(rows), examples.y)
