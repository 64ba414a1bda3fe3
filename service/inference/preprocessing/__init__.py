"""Turns picture files and texts into the arrays that networks read, for training and serving."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing.decoding import DEFAULT_MAX_PIXELS, decode_image, picture_size
from service.inference.preprocessing.digit import prepare_digit
from service.inference.preprocessing.garment import prepare_garment
from service.inference.preprocessing.photo import prepare_photo
from service.inference.preprocessing.picture_formats import PICTURE_SUFFIXES
from service.inference.preprocessing.text import Vocabulary, locate_words, pad, phrases, tokenize

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PICTURE_SUFFIXES",
    "Vocabulary",
    "decode_image",
    "locate_words",
    "pad",
    "phrases",
    "picture_preparation",
    "picture_size",
    "prepare_digit",
    "prepare_garment",
    "prepare_photo",
    "tokenize",
]

Preparation = Callable[[Image.Image], npt.NDArray[np.uint8]]
_FIXED_SIZE: dict[str, Preparation] = {"digit": prepare_digit, "garment": prepare_garment}


def picture_preparation(kind: str, *, size: int | None) -> Preparation:
    """Return the function that turns decoded pictures into the pixels of a network.

    Args:
        kind: A picture kind of :data:`service.inference.card.PreprocessingKind`.
        size: Side of photos in pixels; digits and garments have a fixed size.

    Returns:
        A function from an image of mode ``L``, ``RGB`` or ``RGBA`` to uint8 pixels (size, size) or
        (size, size, 3).
    """
    if kind == "photo":
        assert size is not None, "photos need a size"
        return partial(prepare_photo, size=size)
    return _FIXED_SIZE[kind]
