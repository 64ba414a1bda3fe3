"""Predicts the content of the current page."""

import contextlib
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from desktop.pictures.images import pillow_of
from desktop.prediction.backends import Location
from desktop.prediction.connection import Connection
from desktop.prediction.dispatcher import ConnectionState
from desktop.prediction.model_selection import ModelSelection
from desktop.prediction.requests import NetworkInput, PredictionRequest, PredictionResponse, Value
from desktop.prediction.throttle import Throttle
from desktop.prediction.worker import Worker
from desktop.settings import SettingsStore
from desktop.window.page import Page
from service.client import ModelSummary, RequestRefused
from service.inference import LecternError
from service.inference.errors import BlankImage, InputError
from service.inference.preprocessing import decode_image, picture_preparation

# Twenty predictions per second look continuous.
_INTERVAL_MS = 50


class PredictionController(QObject):
    """Predicts the content of the current page whenever the page, the model or the connection changes.

    Predictions run on a thread; while one runs, only the newest pending one is kept.

    Attributes:
        connection: Provides the dispatcher, and the models that are available.
        page: The current page; None while predictions are paused.
        compared_version: Another version that also predicts the content; None for none.
        response: The response for the current content; None while there is none.

    Signals:
        page_changed: The new :class:`Page`, or None.
        edited: The content of the page changed; the user may still be editing.
        models_changed: :attr:`models` was set.
        model_changed: :attr:`model` or :attr:`version` was set.
        card_changed: The Card of the model; None until it is known.
        response_changed: The PredictionResponse of the current content; None while there is none.
        outdated: The page shows another picture than the one of the last response or error; a response for it
            will follow.
        completed: A new PredictionResponse of the current content.
        comparison_completed: The PredictionResponse of :attr:`compared_version`.
        network_input_ready: The NetworkInput of the current content.
        failed: The LecternError why there is no response.
    """

    page_changed = Signal(object)
    edited = Signal()
    models_changed = Signal()
    model_changed = Signal()
    card_changed = Signal(object)
    response_changed = Signal(object)
    outdated = Signal()
    completed = Signal(object)
    comparison_completed = Signal(object)
    network_input_ready = Signal(object)
    failed = Signal(object)

    def __init__(self, connection: Connection, store: SettingsStore, parent: QObject | None = None) -> None:
        """Start without a page.

        Args:
            connection: Provides the dispatcher, and the models that are available.
            store: Holds the name of the model that the user chose for each page.
            parent: Parent object.
        """
        super().__init__(parent)
        self.connection = connection
        self.compared_version: int | None = None
        self._dispatcher = connection.dispatcher
        self.page: Page | None = None
        self.response: PredictionResponse | None = None
        # What the response is for, or will be.
        self._value: Value | None = None
        self._last_request = 0
        self._throttle = Throttle(_INTERVAL_MS, self)
        self._throttle.triggered.connect(self.predict)
        self._predictions = Worker("predict", self)
        self._predictions.result_ready.connect(self._complete)
        self._predictions.failed.connect(self._fail)
        self._inputs = Worker("prepare", self)
        self._inputs.result_ready.connect(self._deliver_input)
        selection = self._selection = ModelSelection(connection, store, self)
        selection.models_changed.connect(self.models_changed)
        selection.model_changed.connect(self.model_changed)
        selection.card_changed.connect(self.card_changed)
        selection.switched.connect(self._restart)
        connection.changed.connect(self._use_connection)

    @property
    def models(self) -> tuple[ModelSummary, ...]:
        """The models that accept the current page."""
        return self._selection.models

    @property
    def model(self) -> ModelSummary | None:
        """The current model; None if no model accepts the page."""
        return self._selection.model

    @property
    def version(self) -> int | None:
        """The current version of the model; None if there is no model."""
        return self._selection.version

    def set_page(self, page: Page | None) -> None:
        """Predict the content of a page from now on; None pauses the predictions."""
        if self.page is not None:
            self.page.changed.disconnect(self._page_changed)
            self.page.settled.disconnect(self._page_settled)
        self.page = page
        self._selection.set_page(page)
        self.page_changed.emit(page)
        if page is None:
            self._cancel()
            return
        page.changed.connect(self._page_changed)
        page.settled.connect(self._page_settled)
        self._selection.offer()
        self._restart()

    def choose_model(self, model: ModelSummary, version: int | None = None) -> None:
        """Use a model for the current page, now and at later starts.

        Args:
            model: The model.
            version: Version of the model; its newest version if None.
        """
        self._selection.choose(model, version)

    def want_newest_version(self) -> None:
        """Use the newest version of the model when the models are listed again."""
        self._selection.want_newest()

    @Slot()
    def predict(self, *, settled: bool = False) -> None:
        """Predict the current content; does nothing without content or model.

        Args:
            settled: The user has finished the content for now.
        """
        page, model, version = self.page, self.model, self.version
        value = None if page is None else page.value()
        if page is None or value is None or model is None:
            return
        self._drop_outdated(value)
        more = []
        if self.compared_version is not None:
            compared = self.compared_version
            more.append(PredictionRequest(model.name, compared, value, settled, is_comparison=True))
        if settled:
            more += [PredictionRequest(model.name, version, other) for other in page.other_values()]
        origin = page.origin() if settled else None
        request = PredictionRequest(model.name, version, value, settled, origin)
        # The local backend returns the input of the network with the prediction; a server does not.
        if self.connection.dispatcher.connection_state.location is Location.SERVER:
            self._prepare(request)
        self._put(request, more)

    def restore(self, response: PredictionResponse) -> None:
        """Show an earlier response again, without predicting.

        Args:
            response: The earlier response; its input is the current content.
        """
        self._cancel()
        self._selection.follow(response.result.prediction)
        self._set_response(None)
        self._set_response(response)
        if response.result.pixels is None:
            self._prepare(response.request)

    def _drop_outdated(self, value: Value) -> None:
        """Drop the response of another picture; a stroke or a letter more leaves the response as it is."""
        if isinstance(value, bytes) and value is not self._value:
            self.response = None
            self.outdated.emit()
        self._value = value

    def _put(self, request: PredictionRequest, more: list[PredictionRequest]) -> None:
        """Predict on the thread; a newer call drops ``more``, whose input errors are ignored."""
        self._last_request += 1
        number = self._last_request
        dispatcher = self.connection.dispatcher

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

        self._predictions.put(job)

    def _prepare(self, request: PredictionRequest) -> None:
        """Compute the input of the network on a thread that does not wait for a slow server."""
        value, dispatcher = request.value, self.connection.dispatcher
        if isinstance(value, str):
            return

        def prepare() -> NetworkInput:
            spec = dispatcher.card(request.model, request.version).input
            picture = pillow_of(value) if isinstance(value, QImage) else decode_image(value)
            return NetworkInput(request, picture_preparation(spec.preprocessing, size=spec.shape[1])(picture))

        self._inputs.call(prepare)

    def _cancel(self) -> None:
        self._throttle.stop()
        self._predictions.cancel()
        self._inputs.cancel()

    def _restart(self) -> None:
        self._cancel()
        self._set_response(None)
        self.predict(settled=True)

    def _page_changed(self) -> None:
        self.edited.emit()
        if self.page is not None and self.page.value() is None:
            self._restart()
        else:
            self._throttle.trigger()

    def _page_settled(self) -> None:
        if self.page is not None and self.page.value() is not None:
            self._throttle.stop()
            self.predict(settled=True)

    @Slot(object)
    def _use_connection(self, state: ConnectionState) -> None:
        outdated = self._is_outdated(state)
        self._dispatcher = self.connection.dispatcher
        self._selection.set_available(state.models)
        if state.models_error is not None:
            self._fail(state.models_error)
        elif outdated:
            # The response stands until that of the new backend replaces it.
            self.predict(settled=self.response is None or self.response.request.settled)

    def _is_outdated(self, state: ConnectionState) -> bool:
        """Return whether another backend than the one in use computed the response, or refused to."""
        if self.response is None or self.connection.dispatcher is not self._dispatcher:
            return True
        return self.response.result.location is not state.location

    def _set_response(self, response: PredictionResponse | None) -> None:
        self.response = response
        if response is not None:
            self._value = response.request.value
        self.response_changed.emit(response)
        if response is not None and response.result.pixels is not None:
            self.network_input_ready.emit(NetworkInput(response.request, response.result.pixels))

    @Slot(object)
    def _complete(self, response: PredictionResponse) -> None:
        if self.page is not None:
            self._show(self.page, response)
        self.connection.refresh(responded=True)

    def _show(self, page: Page, response: PredictionResponse) -> None:
        request = response.request
        if request.is_comparison:
            self.comparison_completed.emit(response)
            return
        page.record_result(request.value, response.result)
        if self._is_current(request):
            self._set_response(response)
            self.completed.emit(response)

    def _is_current(self, request: PredictionRequest) -> bool:
        """Return whether a request is not about another picture of the page."""
        return self.page is not None and (
            not isinstance(request.value, bytes) or request.value is self.page.value()
        )

    @Slot(object)
    def _deliver_input(self, network_input: NetworkInput) -> None:
        if self._is_current(network_input.request):
            self.network_input_ready.emit(network_input)

    @Slot(object)
    def _fail(self, error: LecternError) -> None:
        value = None if self.page is None else self.page.value()
        if error.code == BlankImage.code and isinstance(value, QImage):
            self._set_response(None)  # The user erased all ink.
        else:
            self.response = None
            self.failed.emit(error)
        self.connection.refresh()
