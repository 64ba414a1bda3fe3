"""Connects the current page with the predictions of the current model."""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from desktop.prediction.dispatcher import ConnectionState, Dispatcher
from desktop.prediction.requests import NetworkInput, PredictionRequest, PredictionResponse
from desktop.prediction.runner import PredictionRunner
from desktop.prediction.throttle import Throttle
from desktop.window.page import Page
from service.client import ModelSummary
from service.inference import LecternError
from service.inference.errors import BlankImage

# Twenty predictions per second look continuous.
_INTERVAL_MS = 50
_COMPARISON = object()


class PredictionController(QObject):
    """Predicts the content of the current page whenever the page, the model or the connection changes.

    Signals:
        models_changed: The models that accept the current page, a tuple of ModelSummary.
        model_changed: :attr:`model` or :attr:`version` was set.
        response_changed: The PredictionResponse of the current content; None while there is none.
        completed: A new PredictionResponse of the current content.
        comparison_completed: The PredictionResponse of :attr:`compared_version`.
        network_input_ready: The NetworkInput of the current content.
        failed: The LecternError why there is no response.
        card_ready: The requested Card.
        connection_changed: The new ConnectionState.
    """

    models_changed = Signal(object)
    model_changed = Signal()
    response_changed = Signal(object)
    completed = Signal(object)
    comparison_completed = Signal(object)
    network_input_ready = Signal(object)
    failed = Signal(object)
    card_ready = Signal(object)
    connection_changed = Signal(object)

    def __init__(self, dispatcher: Dispatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.compared_version: int | None = None
        self._page: Page | None = None
        self._model: ModelSummary | None = None
        self._version: int | None = None
        self._response: PredictionResponse | None = None
        self._throttle = Throttle(_INTERVAL_MS, self)
        self._throttle.triggered.connect(self.predict)
        self._runner = PredictionRunner(dispatcher, self)
        self._runner.completed.connect(self._complete)
        self._runner.network_input_ready.connect(self._deliver_input)
        self._runner.failed.connect(self._fail)
        self._runner.card_ready.connect(self.card_ready)
        self._runner.connection_changed.connect(self._change_connection)

    @property
    def dispatcher(self) -> Dispatcher:
        """The dispatcher in use."""
        return self._runner.dispatcher

    @property
    def model(self) -> ModelSummary | None:
        """The current model; None if no model accepts the page."""
        return self._model

    @property
    def version(self) -> int | None:
        """The current version; None for the default version."""
        return self._version

    @property
    def response(self) -> PredictionResponse | None:
        """The response for the current content; None while there is none."""
        return self._response

    def reconnect(self) -> None:
        """Try the server now; :attr:`connection_changed` tells what is available."""
        self._runner.connect_backend()

    def set_dispatcher(self, dispatcher: Dispatcher) -> None:
        """Use another dispatcher from now on."""
        self._runner.set_dispatcher(dispatcher)

    def set_page(self, page: Page | None) -> None:
        """Predict the content of a page from now on; None pauses the predictions."""
        if self._page is not None:
            self._page.changed.disconnect(self._page_changed)
            self._page.settled.disconnect(self._page_settled)
        self._page = page
        if page is None:
            self.cancel()
            return
        page.changed.connect(self._page_changed)
        page.settled.connect(self._page_settled)
        self._offer_models(self.dispatcher.connection_state)
        self.restart()

    def set_model(self, model: ModelSummary | None, version: int | None) -> None:
        """Use a model from now on, and predict the current content again if it is another one."""
        before = (self._model, self._version)
        self._change_model(model, version)
        if (model, version) != before:
            self.restart()

    def restart(self) -> None:
        """Drop the current response, and predict the current content again."""
        self.cancel()
        self._set_response(None)
        self.predict(settled=True)

    def predict(self, *, settled: bool = False) -> None:
        """Predict the current content; does nothing without content or model.

        Args:
            settled: The user has finished the content for now.
        """
        page, model = self._page, self._model
        value = None if page is None else page.value()
        if page is None or value is None or model is None:
            return
        more = []
        if self.compared_version is not None:
            more.append(PredictionRequest(model.name, self.compared_version, value, settled, _COMPARISON))
        if settled:
            more += [PredictionRequest(model.name, self._version, other) for other in page.other_values()]
        origin = page.origin() if settled else None
        self._runner.predict(PredictionRequest(model.name, self._version, value, settled, origin), *more)

    def restore(self, response: PredictionResponse, model: ModelSummary | None, version: int | None) -> None:
        """Show an earlier response again, without predicting.

        Args:
            response: The earlier response; its input is the current content.
            model: The current model from now on.
            version: The current version from now on.
        """
        self.cancel()
        self._change_model(model, version)
        self._set_response(None)
        self._set_response(response)
        self._runner.prepare(response.request)

    def fetch_card(self) -> None:
        """Request the card of the current model; :attr:`card_ready` delivers it."""
        if self._model is not None:
            self._runner.fetch_card(self._model.name, self._version)

    def cancel(self) -> None:
        """Drop all pending requests."""
        self._throttle.stop()
        self._runner.cancel()

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._throttle.stop()
        self._runner.close()

    def _page_changed(self) -> None:
        if self._page is not None and self._page.value() is None:
            self.restart()
        else:
            self._throttle.trigger()

    def _page_settled(self) -> None:
        if self._page is not None and self._page.value() is not None:
            self._throttle.stop()
            self.predict(settled=True)

    def _set_response(self, response: PredictionResponse | None) -> None:
        self._response = response
        self.response_changed.emit(response)

    def _change_model(self, model: ModelSummary | None, version: int | None) -> None:
        self._model, self._version = model, version
        if self._page is not None:
            self._page.set_model(model)
        self.model_changed.emit()

    def _offer_models(self, state: ConnectionState) -> None:
        page = self._page
        if page is not None:
            self.models_changed.emit(tuple(model for model in state.models if page.accepts(model)))

    @Slot(object)
    def _complete(self, response: PredictionResponse) -> None:
        page, value = self._page, response.request.value
        if page is None:
            return
        if response.request.origin is _COMPARISON:
            self.comparison_completed.emit(response)
            return
        page.record_prediction(value, response.result.prediction)
        if isinstance(value, bytes) and value is not page.value():
            return  # Another picture of the page.
        self._set_response(response)
        self.completed.emit(response)

    @Slot(object)
    def _deliver_input(self, network_input: NetworkInput) -> None:
        value = None if self._page is None else self._page.value()
        # A drawing is a new object with each call of value().
        if isinstance(value, QImage) or (value is not None and value is network_input.request.value):
            self.network_input_ready.emit(network_input)

    @Slot(object)
    def _fail(self, error: LecternError) -> None:
        value = None if self._page is None else self._page.value()
        if error.code == BlankImage.code and isinstance(value, QImage):
            self._set_response(None)  # A pad whose ink is erased is as good as empty.
            return
        self._response = None
        self.failed.emit(error)

    @Slot(object)
    def _change_connection(self, state: ConnectionState) -> None:
        self._offer_models(state)
        self.connection_changed.emit(state)
