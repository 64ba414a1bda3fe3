"""Selects the model that predicts the content of the current page."""

import contextlib
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal

from desktop.prediction.connection import Connection
from desktop.prediction.worker import Worker
from desktop.settings import SettingsStore
from desktop.window.page import Page
from service.client import ModelSummary
from service.inference import LecternError, Prediction


class ModelSelection(QObject):
    """Offers the models that accept a page, and remembers the user's choice for each page.

    Attributes:
        model: The selected model; None if no model accepts the page.
        version: The selected version of the model; None if there is no model.

    Signals:
        models_changed: :attr:`models` was set.
        model_changed: :attr:`model` or :attr:`version` was set.
        card_changed: The Card of the model; None until it is known.
        switched: Another model or version is selected.
    """

    models_changed = Signal()
    model_changed = Signal()
    card_changed = Signal(object)
    switched = Signal()

    def __init__(self, connection: Connection, store: SettingsStore, parent: QObject | None = None) -> None:
        """Start without a page and without models.

        Args:
            connection: Provides the dispatcher, which loads the model.
            store: Holds the name of the model that the user chose for each page.
            parent: Parent object.
        """
        super().__init__(parent)
        self._connection, self._store = connection, store
        self._available: tuple[ModelSummary, ...] = ()
        self._page: Page | None = None
        self.model: ModelSummary | None = None
        self.version: int | None = None
        self._wants_newest = False
        self._loader = Worker("load model", self)
        self._loader.result_ready.connect(self.card_changed)

    @property
    def models(self) -> tuple[ModelSummary, ...]:
        """The models that accept the page."""
        page = self._page
        return () if page is None else tuple(model for model in self._available if page.accepts(model))

    def set_page(self, page: Page | None) -> None:
        """Select models for a page from the next :meth:`offer` on; None for no page."""
        self._page = page

    def set_available(self, models: tuple[ModelSummary, ...]) -> None:
        """Offer the models of another backend, or models that have changed."""
        self._available = models
        self.offer()
        if self._page is not None:
            self._wants_newest = False

    def want_newest(self) -> None:
        """Select the newest version with the next :meth:`set_available`."""
        self._wants_newest = True

    def offer(self) -> None:
        """Offer the models of the page, and select that of the settings; a selected version of it stays."""
        if self._page is None:
            return
        models, before = self.models, self.model
        self.models_changed.emit()
        name = self._store.settings.models.get(self._page.key)
        model = next((model for model in models if model.name == name), models[0] if models else None)
        same = model is not None and before is not None and model.name == before.name
        self._select(model, self.version if same and not self._wants_newest else None)

    def choose(self, model: ModelSummary, version: int | None = None) -> None:
        """Select a model for the page, now and at later starts.

        Args:
            model: The model.
            version: Version of the model; its newest version if None.
        """
        if self._page is not None:
            self._store.update(models={**self._store.settings.models, self._page.key: model.name})
        self._wants_newest = False
        self._select(model, version)

    def follow(self, prediction: Prediction) -> None:
        """Select the model that made a prediction, if it is offered; :attr:`switched` is not emitted."""
        for model in self.models:
            if model.name == prediction.model:
                self._set(model, prediction.version)

    def _select(self, model: ModelSummary | None, version: int | None) -> None:
        before = (self.model, self.version)
        self._set(model, version)
        if (self.model, self.version) != before:
            self.switched.emit()

    def _set(self, model: ModelSummary | None, version: int | None) -> None:
        if model is not None and version not in model.versions:
            version = max(model.versions)
        self.model, self.version = model, None if model is None else version
        if self._page is not None:
            self._page.set_model(model)
        self.model_changed.emit()
        self._load()

    def _load(self) -> None:
        """Load model and card on a thread, so that the first prediction does not wait for them."""
        self._loader.cancel()
        self.card_changed.emit(None)
        if self.model is None:
            return
        name, version, dispatcher = self.model.name, self.version, self._connection.dispatcher

        def job() -> Iterator[object]:
            # An error is reported by the prediction.
            with contextlib.suppress(LecternError):
                dispatcher.load(name, version)
                yield dispatcher.card(name, version)

        self._loader.put(job)
