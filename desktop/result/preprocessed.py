"""Owns showing what a network gets to see of a picture."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.card import InputSpec
from service.inference.preprocessing import prepare_digit, prepare_garment, prepare_photo


def seen(picture: Image.Image, spec: InputSpec) -> npt.NDArray[np.uint8]:
    """Return the pixels that a network takes for a picture.

    Args:
        picture: Upright, mode ``L``, ``RGB`` or ``RGBA``, as ``decode_image`` returns it.
        spec: The ``input`` of the network's card; one that takes pictures.

    Returns:
        uint8 array (height, width) or (height, width, 3).

    Raises:
        BlankImage: Nothing is on the picture.
    """
    match spec.preprocessing:
        case "digit":
            return prepare_digit(picture)
        case "garment":
            return prepare_garment(picture)
        case "photo":
            return prepare_photo(picture, size=spec.shape[1])
        case "text":
            raise ValueError("a text is not seen as pixels")
