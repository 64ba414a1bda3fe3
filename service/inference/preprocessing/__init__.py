"""Owns the geometry: from bytes or text to the arrays that networks take, for training and serving alike."""

from service.inference.preprocessing.decoding import DEFAULT_MAX_PIXELS, decode_image
from service.inference.preprocessing.digit import prepare_digit
from service.inference.preprocessing.garment import prepare_garment
from service.inference.preprocessing.photo import prepare_photo
from service.inference.preprocessing.text import Vocabulary, pad, phrases, tokenize

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "Vocabulary",
    "decode_image",
    "pad",
    "phrases",
    "prepare_digit",
    "prepare_garment",
    "prepare_photo",
    "tokenize",
]
