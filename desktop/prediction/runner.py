"""Runs predictions, preprocessing, card requests and connection attempts on threads."""

import contextlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from desktop.pictures.images import pillow_of
from desktop.prediction.dispatcher import ConnectionState, Dispatcher
from desktop.prediction.requests import NetworkInput, PredictionRequest, PredictionResponse
from desktop.prediction.worker import Worker
from service.client import RequestRefused
from service.inference import LecternError
from service.inference.card import InputSpec
from service.inference.errors import InputError
from service.inference.preprocessing import decode_image, prepare_digit, prepare_garment, prepare_photo

_FIRST_RETRY_MS, _MAX_RETRY_MS = 3_000, 60_000


class PredictionRunner(QObject):
    """Runs requests on worker threads; while one runs, keeps only the newest pending one.

    Signals:
        completed: A :class:`PredictionResponse`.
        network_input_ready: A :class:`NetworkInput`; does not wait for a slow server.
        failed: The LecternError of a prediction or of a card request.
        card_ready: The requested Card.
        connection_changed: The :class:`ConnectionState`, whenever it changes.
    """

    completed = Signal(object)
    network_input_ready = Signal(object)
    failed = Signal(object)
    card_ready = Signal(object)
    connection_changed = Signal(object)

    def __init__(self, dispatcher: Dispatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dispatcher = dispatcher
        self._connection_state: ConnectionState | None = None
        self._retry_ms = _FIRST_RETRY_MS
        self._last_request = 0
        self._predictions = Worker("predict", self)
        self._inputs = Worker("prepare", self)
        self._connections = Worker("connect", self)
        self._cards = Worker("card", self)
        self._predictions.result_ready.connect(self._complete)
        self._predictions.failed.connect(self._fail)
        self._inputs.result_ready.connect(self.network_input_ready)
        self._connections.result_ready.connect(self._update_connection)
        self._cards.result_ready.connect(self.card_ready)
        self._cards.failed.connect(self.failed)
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.connect_backend)

    @property
    def dispatcher(self) -> Dispatcher:
        """The dispatcher in use."""
        return self._dispatcher

    def set_dispatcher(self, dispatcher: Dispatcher) -> None:
        """Close the dispatcher in use, and connect with another one."""
        self.cancel()
        self._connections.cancel()
        self._dispatcher.close()
        self._dispatcher = dispatcher
        self._connection_state = None
        self._retry_ms = _FIRST_RETRY_MS
        self.connect_backend()

    def connect_backend(self) -> None:
        """Try the server now."""
        self._retry.stop()
        dispatcher = self._dispatcher

        def job() -> Iterator[object]:
            yield dispatcher.connect()

        self._connections.put(job)

    def predict(self, request: PredictionRequest, *more: PredictionRequest) -> None:
        """Predict an input, and show what the network gets of it.

        Args:
            request: The request; it replaces a pending one.
            more: Further requests, dropped if a newer call comes; their input errors are ignored.
        """
        self._last_request += 1
        number = self._last_request
        dispatcher = self._dispatcher

        def respond(one: PredictionRequest) -> PredictionResponse:
            value = pillow_of(one.value) if isinstance(one.value, QImage) else one.value
            return PredictionResponse(one, dispatcher.predict(one.model, [value], version=one.version)[0])

        def job() -> Iterator[object]:
            yield respond(request)
            for one in more:
                if self._last_request != number:
                    return
                with contextlib.suppress(InputError, RequestRefused):
                    yield respond(one)

        self.prepare(request)
        self._predictions.put(job)

    def prepare(self, request: PredictionRequest) -> None:
        """Preprocess a picture without predicting it; does nothing for a text."""
        value, dispatcher = request.value, self._dispatcher
        if isinstance(value, str):
            return

        def job() -> Iterator[object]:
            spec = dispatcher.card(request.model, request.version).input
            picture = pillow_of(value) if isinstance(value, QImage) else decode_image(value)
            yield NetworkInput(request, preprocess(picture, spec))

        self._inputs.put(job)

    def fetch_card(self, model: str, version: int | None) -> None:
        """Request a model's card; :attr:`card_ready` delivers it."""
        dispatcher = self._dispatcher

        def job() -> Iterator[object]:
            yield dispatcher.card(model, version)

        self._cards.put(job)

    def cancel(self) -> None:
        """Drop all requests, so that no response to them is emitted."""
        self._predictions.cancel()
        self._inputs.cancel()

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._retry.stop()
        for worker in (self._predictions, self._inputs, self._connections, self._cards):
            worker.close()
        self._dispatcher.close()

    @Slot(object)
    def _complete(self, response: PredictionResponse) -> None:
        self._update_connection(self._dispatcher.connection_state)
        if not self._dispatcher.disconnected:
            self._retry_ms = _FIRST_RETRY_MS
        self.completed.emit(response)

    @Slot(object)
    def _fail(self, error: LecternError) -> None:
        self._update_connection(self._dispatcher.connection_state)
        self.failed.emit(error)

    @Slot(object)
    def _update_connection(self, state: ConnectionState) -> None:
        if self._dispatcher.disconnected and not self._retry.isActive():
            # A server that lists models but fails to predict would flicker: retry less and less often.
            self._retry.start(self._retry_ms)
            self._retry_ms = min(self._retry_ms * 2, _MAX_RETRY_MS)
        if state != self._connection_state:
            self._connection_state = state
            self.connection_changed.emit(state)


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
