"""Decodes the inputs of requests: small ones on the event loop, the others in threads, as memory permits."""

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from msgspec import Struct

from service.inference.card import Card
from service.inference.errors import InputError, InputTooLarge
from service.inference.prediction import Reason
from service.inference.predictor import Array, Input, Predictor
from service.inference.preparation import PreparedInput
from service.inference.preprocessing.text import MAX_CHARACTERS
from service.inference.reading.reader import Reader, SegmentedPicture
from service.server.pipeline.memory import WorkingMemory, held_memory

# Smaller inputs are decoded on the event loop, because a thread costs more than it saves. A request for a
# slow network waits for a thread anyway, so that its picture has the lower limit.
_INLINE_PIXELS = 512 * 512
_INLINE_PIXELS_OF_SLOW_NETWORKS = 256 * 256
_INLINE_CHARACTERS = 20_000
# Of short words that are all different, with the phrases of them.
_BYTES_PER_CHARACTER = 150


class DecodedInputs(Struct, frozen=True):
    """The inputs of one request, as a network reads them.

    Attributes:
        batch: Array of the network's dtype and shape.
        decode_s: Seconds of decoding.
        inputs: What the batch was made of; nothing for an array.
        reasons: For each input, why its prediction is unsure whatever its scores are; empty if for none.
    """

    batch: Array
    decode_s: float
    inputs: Sequence[Input] = ()
    reasons: tuple[Reason | None, ...] = ()


class InputDecoder:
    """Prepares inputs for networks; its methods can be called from several threads.

    Args:
        max_pixels: Largest width x height of a picture.
        working_memory: Memory for large pictures and long texts.
    """

    def __init__(self, *, max_pixels: int, working_memory: WorkingMemory) -> None:
        self._max_pixels = max_pixels
        self._memory = working_memory

    def decode_inline(
        self, predictor: Predictor, inputs: Sequence[Input], *, started: float, is_slow: bool
    ) -> DecodedInputs | None:
        """Decode a single small input on the event loop; None for several inputs, and one that takes longer.

        Args:
            predictor: The model.
            inputs: The inputs of one request.
            started: ``time.perf_counter()`` when the decoding of the request started.
            is_slow: Whether the network runs in threads.

        Raises:
            InputError: The input cannot be used.
        """
        if len(inputs) != 1 or len(inputs[0]) > _INLINE_CHARACTERS:
            return None
        max_pixels = min(self._max_pixels, _INLINE_PIXELS_OF_SLOW_NETWORKS if is_slow else _INLINE_PIXELS)
        try:
            row = predictor.examine(inputs[0], max_pixels=max_pixels, reduce_jpeg=False, may_search=False)
        except InputTooLarge:
            return None
        return _decoded(predictor, inputs, [row], started=started)

    def decode(self, predictor: Predictor, inputs: Sequence[Input]) -> DecodedInputs:
        """Decode the inputs of one request in a thread, as soon as there is memory for them.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
        """
        started = time.perf_counter()
        rows = []
        for number, value in enumerate(inputs, start=1):
            try:
                rows.append(self._examine(predictor, value))
            except InputError as error:
                if len(inputs) == 1:
                    raise
                raise type(error)(f"input {number} of {len(inputs)}: {error}") from error
        return _decoded(predictor, inputs, rows, started=started)

    def prepare(self, predictor: Predictor, value: Input) -> Array:
        """Prepare one input in a thread, as soon as there is memory for it.

        Raises:
            InputError: The input cannot be used.
        """
        return self._examine(predictor, value).array

    def segment(self, reader: Reader, value: Input) -> SegmentedPicture:
        """Divide a picture into what could be digits, in a thread, as soon as there is memory for it.

        Raises:
            InputError: The input cannot be used.
        """
        return reader.segment(value, max_pixels=self._max_pixels, reserve=self._memory.reserve)

    def reserve_text(self, text: str) -> AbstractContextManager[None]:
        """Return a context manager that takes the memory for the words of a text; a short one takes little.

        Raises:
            InputTooLarge: The server never has so much memory.
        """
        if len(text) <= _INLINE_CHARACTERS:
            return nullcontext()
        return self._memory.reserve(_BYTES_PER_CHARACTER * min(len(text), MAX_CHARACTERS))

    def _examine(self, predictor: Predictor, value: Input) -> PreparedInput:
        with self.reserve_text(value) if isinstance(value, str) else nullcontext():
            return predictor.examine(value, max_pixels=self._max_pixels, reserve=self._memory.reserve)


def hold_pictures(card: Card, count: int) -> None:
    """Count the memory of prepared pictures, which the running request holds until its response.

    Raises:
        RequestError: 413: The request would hold too much.
    """
    held = held_memory.get()
    if held is not None:
        held.take(count * math.prod(card.input.shape[1:]) * np.dtype(card.input.dtype).itemsize)


def _decoded(
    predictor: Predictor, inputs: Sequence[Input], rows: Sequence[PreparedInput], *, started: float
) -> DecodedInputs:
    batch, reasons = predictor.stack([row.array for row in rows]), tuple(row.reason for row in rows)
    decode_s = time.perf_counter() - started
    return DecodedInputs(batch, decode_s, inputs, reasons if any(reasons) else ())
