"""Turns picture files and texts into the arrays that networks read, for training and serving."""

from service.inference.preprocessing.decoding import DEFAULT_MAX_PIXELS, decode_image
from service.inference.preprocessing.digit import prepare_digit
from service.inference.preprocessing.garment import prepare_garment
from service.inference.preprocessing.photo import prepare_photo
from service.inference.preprocessing.preparation import picture_preparation
from service.inference.preprocessing.text import Vocabulary, pad, phrases, tokenize

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "Vocabulary",
    "decode_image",
    "pad",
    "phrases",
    "picture_preparation",
    "prepare_digit",
    "prepare_garment",
    "prepare_photo",
    "tokenize",
]
