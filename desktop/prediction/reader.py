"""Owns reading: takes what is to be read, lets workers see to it, and tells what came of it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.prediction.backends import PredictionResult
from desktop.prediction.dispatcher import ConnectionState, Dispatcher
from desktop.prediction.worker import Worker
from service.client import RequestRefused
from service.inference import LecternError
from service.inference.card import InputSpec
from service.inference.errors import InputError
from service.inference.preprocessing import decode_image, prepare_digit, prepare_garment, prepare_photo

Value: TypeAlias = QImage | bytes | str

_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 3_000, 60_000


@dataclass(frozen=True)
class PredictionRequest:
    """Something to be read.

    Attributes:
        model: Name of the model to ask.
        version: One of its versions; the default one if None.
        value: A drawing (8-bit grey), the bytes of a picture file, or a text.
        settled: Whether it is done, rather than in the making.
        origin: Whatever the asker wants to find again in the answer.
    """

    model: str
    version: int | None
    value: Value
    settled: bool = True
    origin: object = None


@dataclass(frozen=True)
class PredictionResponse:
    """What came of a request."""

    request: PredictionRequest
    reading: PredictionResult


@dataclass(frozen=True)
class NetworkInput:
    """What the network sees of a request: uint8 pixels (height, width) or (height, width, 3)."""

    request: PredictionRequest
    pixels: npt.NDArray[np.uint8]


class Reader(QObject):
    """Reads on threads of its own; while one request is being read, only the newest other one waits.

    Signals:
        answered: An :class:`PredictionResponse`.
        network_input_ready: A :class:`NetworkInput`; comes without waiting for a slow server.
        refused: The LecternError why there is no answer.
        carded: A Card that was asked for.
        stood: A :class:`ConnectionState`, whenever it is another one.
    """

    completed = Signal(object)
    network_input_ready = Signal(object)
    failed = Signal(object)
    card_ready = Signal(object)
    connection_changed = Signal(object)

    def __init__(self, dispatcher: Dispatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dispatcher = dispatcher
        self._standing: ConnectionState | None = None
        self._pause_ms = _FIRST_PAUSE_MS
        self._number = 0
        self._reads = Worker("reads", self)
        self._sees = Worker("sees", self)
        self._looks = Worker("looks", self)
        self._cards = Worker("cards", self)
        self._reads.result_ready.connect(self._answer)
        self._reads.failed.connect(self._refuse)
        self._sees.result_ready.connect(self.network_input_ready)
        self._looks.result_ready.connect(self._tell_standing)
        self._cards.result_ready.connect(self.card_ready)
        self._cards.failed.connect(self.failed)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.look)

    @property
    def dispatcher(self) -> Dispatcher:
        """Who is asked."""
        return self._dispatcher

    def use(self, dispatcher: Dispatcher) -> None:
        """Ask somebody else from now on, and look around at once."""
        self.forget()
        before, self._dispatcher = self._dispatcher, dispatcher
        self._looks.cancel()
        before.close()
        self._standing = None
        self._pause_ms = _FIRST_PAUSE_MS
        self.look()

    def look(self) -> None:
        """Look for the server now."""
        self._again.stop()
        dispatcher = self._dispatcher

        def job() -> Iterator[object]:
            yield dispatcher.look()

        self._looks.put(job)

    def ask(self, request: PredictionRequest, *more: PredictionRequest) -> None:
        """Read something; the newest request is always answered, earlier ones if there is time.

        Args:
            request: What to read.
            more: What to read next, unless something newer is asked by then; no refusal is told of these.
        """
        dispatcher = self._dispatcher
        self._number += 1
        number = self._number

        def answer(one: PredictionRequest) -> PredictionResponse:
            encoded = png_of_drawing(one.value) if isinstance(one.value, QImage) else one.value
            return PredictionResponse(one, dispatcher.read(one.model, [encoded], version=one.version)[0])

        def read() -> Iterator[object]:
            yield answer(request)
            for one in more:
                if self._number != number:
                    return
                with contextlib.suppress(InputError, RequestRefused):
                    yield answer(one)

        self.see(request)
        self._reads.put(read)

    def see(self, request: PredictionRequest) -> None:
        """Find out what the network sees of a picture, without asking it; does nothing for a text."""
        value, dispatcher = request.value, self._dispatcher
        if isinstance(value, str):
            return

        def see() -> Iterator[object]:
            spec = dispatcher.card(request.model, request.version).input
            picture = pillow_of(value) if isinstance(value, QImage) else decode_image(value)
            yield NetworkInput(request, preprocess(picture, spec))

        self._sees.put(see)

    def fetch_card(self, model: str, version: int | None) -> None:
        """Fetch a model's card; it comes by :attr:`carded`."""
        dispatcher = self._dispatcher

        def fetch() -> Iterator[object]:
            yield dispatcher.card(model, version)

        self._cards.put(fetch)

    def forget(self) -> None:
        """Drop every request that was asked, so that no answer to one comes any more."""
        self._reads.cancel()
        self._sees.cancel()

    def close(self) -> None:
        """Stop the threads and let go of connections."""
        self._again.stop()
        for worker in (self._reads, self._sees, self._looks, self._cards):
            worker.close()
        self._dispatcher.close()

    @Slot(object)
    def _answer(self, answer: PredictionResponse) -> None:
        self._tell_standing(self._dispatcher.connection_state)
        if not self._dispatcher.seeks:
            self._pause_ms = _FIRST_PAUSE_MS
        self.completed.emit(answer)

    @Slot(object)
    def _refuse(self, error: LecternError) -> None:
        self._tell_standing(self._dispatcher.connection_state)
        self.failed.emit(error)

    @Slot(object)
    def _tell_standing(self, connection_state: ConnectionState) -> None:
        if self._dispatcher.seeks and not self._again.isActive():
            # A server that answers this but fails at that would come and go: look less and less often.
            self._again.start(self._pause_ms)
            self._pause_ms = min(self._pause_ms * 2, _LONGEST_PAUSE_MS)
        if connection_state != self._standing:
            self._standing = connection_state
            self.connection_changed.emit(connection_state)


def preprocess(picture: Image.Image, spec: InputSpec) -> npt.NDArray[np.uint8]:
    """Return the input that a network gets for a picture.

    Args:
        picture: Upright, mode ``L``, ``RGB`` or ``RGBA``, as ``decode_image`` returns it.
        spec: The ``input`` of the network's card; its preprocessing must be one for pictures.

    Returns:
        uint8 array (height, width) or (height, width, 3).

    Raises:
        BlankImage: The picture shows nothing.
    """
    match spec.preprocessing:
        case "digit":
            return prepare_digit(picture)
        case "garment":
            return prepare_garment(picture)
        case "photo":
            return prepare_photo(picture, size=spec.shape[1])
        case "text":
            raise ValueError("a network for texts has no picture as its input")
