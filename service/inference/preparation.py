"""Prepares pictures for a network, within the memory that there is."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.arrays import Array
from service.inference.card import Card
from service.inference.errors import InputTooLarge
from service.inference.network import Network
from service.inference.prediction import Reason
from service.inference.preprocessing import picture_preparation
from service.inference.preprocessing.decoder_work import decoded_pixels
from service.inference.preprocessing.decoding import decoding_memory, load_image, open_image
from service.inference.preprocessing.digit import PreparedDigit, examine_digit
from service.inference.preprocessing.photo import crop_along, is_long
from service.inference.repository.checks import check_preparation

Pixels = npt.NDArray[np.uint8]
Reserve: TypeAlias = Callable[[int], AbstractContextManager[object]]

# The memory for a smaller picture is not worth the time to reserve it.
_SMALL_PIXELS = 512 * 512


def reserve_nothing(size: int) -> AbstractContextManager[object]:
    """Return a context manager that limits no memory."""
    return nullcontext()


@contextmanager
def decoded_picture(
    data: bytes, *, max_pixels: int, reduce_jpeg: bool = True, reserve: Reserve
) -> Iterator[Image.Image]:
    """Decode a picture file, and keep the memory for it reserved while it is prepared.

    Args:
        data: A picture file.
        max_pixels: Largest width x height of the picture.
        reduce_jpeg: Whether a JPEG file with more pixels may be decoded at a reduced scale.
        reserve: Called with the bytes that a large picture takes; the context manager that it returns is
            entered.

    Raises:
        InputError: The picture is damaged or too large.
    """
    picture = open_image(data, max_pixels=max_pixels, reduce_jpeg=reduce_jpeg)
    if decoded_pixels(picture) <= _SMALL_PIXELS:
        yield load_image(picture)
        return
    with reserve(decoding_memory(picture)):
        decoded = load_image(picture)
        del picture  # Of some kinds, it takes more memory than what was decoded.
        yield decoded


@dataclass(frozen=True, eq=False, slots=True)
class PreparedInput:
    """An input that is prepared for a network.

    Attributes:
        array: uint8 pixels (height, width) or (height, width, 3), int32 ids (n,), or float32 (columns,).
        reason: Why the prediction will be unsure, whatever its scores are.
    """

    array: Array
    reason: Reason | None = None


class PicturePreparation:
    """Prepares decoded pictures for the network of a card; several threads can use it at once.

    Raises:
        CardError: The preprocessing makes other arrays than the network takes.
    """

    def __init__(self, card: Card) -> None:
        self._prepare = picture_preparation(card.input.preprocessing, size=card.input.shape[1])
        check_preparation(card, self._prepare)
        self._is_digit = card.input.preprocessing == "digit"
        # A taught model may read letters or signs, some of which have several parts.
        self._reads_digits = any(label.isdecimal() for label in card.labels)
        # A value has no confidence, and each of several labels may be in another part of the photo.
        self._searches = card.input.preprocessing == "photo" and card.task == "image-classification"

    def examine(self, picture: Image.Image, *, network: Network, may_search: bool = True) -> PreparedInput:
        """Prepare a picture, and find a reason for an unsure prediction.

        Args:
            picture: An upright image of mode ``L``, ``RGB`` or ``RGBA``.
            network: Finds the subject of a long photo.
            may_search: Whether what takes long may be done: to find the ink on a page that is no plain
                drawing, or the subject of a long photo.

        Raises:
            InputError: The picture is blank, or would have to be searched and may not.
        """
        if self._is_digit:
            digit = examine_digit(picture, may_search=may_search)
            return PreparedInput(digit.pixels, self._reason(digit))
        pixels = self._prepare(picture)
        if not self._searches or not is_long(picture):
            return PreparedInput(pixels)
        if not may_search:
            raise InputTooLarge("the photo is so long that the network has to search it")
        crops = [pixels, *crop_along(picture, size=len(pixels))]
        return PreparedInput(choose_crop(crops, network=network.probabilities))

    def _reason(self, digit: PreparedDigit) -> Reason | None:
        if digit.has_several and self._reads_digits:
            return "several_digits"
        return "stroke_too_thick" if digit.too_thick else None


def choose_crop(crops: Iterable[Pixels], *, network: Callable[[Pixels], npt.NDArray[np.float32]]) -> Pixels:
    """Choose the crop of a photo that a network is most confident about, the first of equal ones.

    The network reads one crop at a time, so that its memory does not grow.

    Args:
        crops: uint8 arrays (height, width, 3), at least one.
        network: Returns probabilities (1, labels) of a batch with one crop.
    """
    return max(crops, key=lambda crop: float(network(crop[np.newaxis]).max()))
