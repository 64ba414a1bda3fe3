"""Reads the digits of a picture with a model of single digits."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.card import Card
from service.inference.errors import InvalidInput
from service.inference.predictor import Input, Predictor
from service.inference.preparation import Reserve, decoded_picture, reserve_nothing
from service.inference.preprocessing import DEFAULT_MAX_PIXELS
from service.inference.preprocessing.decoding import open_image, picture_size
from service.inference.preprocessing.ink import find_ink
from service.inference.preprocessing.marks import Box
from service.inference.reading.doubt import doubt_boxes
from service.inference.reading.reading import ReadDigit, Reading
from service.inference.reading.segmentation import Segmentation, segment

# Segmentation takes so many bytes for each pixel besides decoding.
_BYTES_PER_PIXEL = 24


@dataclass(frozen=True, eq=False)
class SegmentedPicture:
    """A picture that is divided into what could be digits.

    Attributes:
        segmentation: The candidates; the network scores their ``batch``.
        scale: Pixels of the upright picture for each pixel of the segmentation.
    """

    segmentation: Segmentation
    scale: float

    @property
    def batch(self) -> npt.NDArray[np.uint8]:
        """The network's input, uint8 (candidates, 28, 28)."""
        return self.segmentation.batch


class Reader:
    """Reads pictures of several digits; its methods can be called from several threads.

    :meth:`read` does everything. A server that times and batches the steps calls :meth:`segment`, runs the
    network on the batch, and calls :meth:`answer`.
    """

    def __init__(self, predictor: Predictor) -> None:
        """Make a reader with a loaded model.

        Raises:
            InvalidInput: The model does not read digits.
        """
        self._predictor = predictor
        check_reads_digits(predictor.card)

    def segment(
        self, value: Input, *, max_pixels: int = DEFAULT_MAX_PIXELS, reserve: Reserve = reserve_nothing
    ) -> SegmentedPicture:
        """Find what could be digits in a picture file.

        Args:
            value: A picture file.
            max_pixels: Largest width x height of a picture.
            reserve: As for :meth:`Predictor.examine`.

        Raises:
            InputError: The input is no picture, is damaged, blank or too large, or has too many digits.
        """
        if not isinstance(value, bytes):
            raise InvalidInput(
                f"{self._predictor.card.name} reads several digits in picture files only; send a file"
            )
        width, height = open_image(value, max_pixels=max_pixels).size

        def reserve_all(size: int) -> AbstractContextManager[object]:
            return reserve(size + width * height * _BYTES_PER_PIXEL)

        with decoded_picture(value, max_pixels=max_pixels, reserve=reserve_all) as picture:
            return self.segment_image(picture, longer_side=max(picture_size(value)))

    def segment_image(self, picture: Image.Image, *, longer_side: int | None = None) -> SegmentedPicture:
        """Find what could be digits in a decoded picture.

        Args:
            picture: An upright image of mode ``L``, ``RGB`` or ``RGBA``.
            longer_side: Longer side in pixels of the picture to which boxes refer; of ``picture`` if None.

        Raises:
            InputError: The picture is blank, or has too many digits.
        """
        ink = find_ink(picture)
        side = max(picture.size) if longer_side is None else longer_side
        return SegmentedPicture(segment(ink), side / max(ink.shape))

    def answer(self, picture: SegmentedPicture, probabilities: npt.NDArray[np.float32]) -> Reading:
        """Choose the digits.

        Args:
            picture: As :meth:`segment` returns it.
            probabilities: float32 (candidates, labels), the network's result for the picture's batch.
        """
        card, segmentation = self._predictor.card, picture.segmentation
        lines = tuple(
            tuple(
                _digit(card, probabilities[number], segmentation.candidates[number].box, scale=picture.scale)
                for number in line
            )
            for line in segmentation.choose(probabilities)
        )
        return Reading(model=card.name, version=card.version, lines=doubt_boxes(lines))

    def read(self, value: Input | Image.Image) -> Reading:
        """Read the digits of a picture file or a decoded picture; errors as for :meth:`segment`."""
        picture = self.segment_image(value) if isinstance(value, Image.Image) else self.segment(value)
        return self.answer(picture, self._predictor.probabilities(picture.batch))


def check_reads_digits(card: Card) -> None:
    """Check that a model can read several digits.

    Raises:
        InvalidInput: It does not classify digits.
    """
    if card.input.preprocessing != "digit" or card.task != "image-classification":
        raise InvalidInput(
            f"{card.name} {card.version} cannot read several digits; only models of handwritten digits can"
        )


def _digit(card: Card, probabilities: npt.NDArray[np.float32], box: Box, *, scale: float) -> ReadDigit:
    best = int(probabilities.argmax())
    score = float(probabilities[best])
    left, top, right, bottom = (round(side * scale) for side in (box.left, box.top, box.right, box.bottom))
    return ReadDigit(
        card.labels[best], score, score < card.unsure_below, (left, top, right - left, bottom - top)
    )
