"""Adds the models that the user makes to the app, and selects them."""

from functools import partial

from PySide6.QtCore import QObject, Slot

from desktop.prediction.backends import LocalBackend
from desktop.prediction.controller import PredictionController
from desktop.prediction.worker import Worker
from desktop.settings import SettingsStore
from desktop.window.tabs import Tabs
from service.client import ModelSummary


class OwnModels(QObject):
    """Reads a new model on a thread, then shows the page that it suits with it."""

    def __init__(
        self, local: LocalBackend, controller: PredictionController, store: SettingsStore, tabs: Tabs
    ) -> None:
        super().__init__(tabs)
        self._local, self._controller, self._store, self._tabs = local, controller, store, tabs
        self._worker = Worker("own models", self)
        self._worker.result_ready.connect(self._select)

    @Slot(str)
    def use(self, name: str) -> None:
        """Add a model to the lists, and select it.

        Args:
            name: Name of the model, whose folder is in that of the user's own models.
        """
        self._worker.call(partial(self._read, name))

    def _read(self, name: str) -> ModelSummary | None:
        self._local.read_own_models()
        return next((model for model in self._local.models() if model.name == name), None)

    @Slot(object)
    def _select(self, model: ModelSummary | None) -> None:
        if model is None:
            return
        page = next((page for page in self._tabs.pages if page.accepts(model)), None)
        if page is not None:
            self._store.update(models={**self._store.settings.models, page.key: model.name})
            self._tabs.setCurrentWidget(page)
        # Lists the models again; the page then selects the one of the settings.
        self._controller.want_newest_version()
        self._controller.connection.connect_backend()
