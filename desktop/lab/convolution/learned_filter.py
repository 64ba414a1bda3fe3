"""The choice of one filter of a trained network's first layer."""

from functools import partial

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QSpinBox, QWidget

from desktop.explain.backend import Activations, ExplanationBackend
from desktop.prediction.worker import Worker
from service.inference import Card


class LearnedFilterBox(QSpinBox):
    """Chooses a filter by its number; loads the filters on a thread.

    Signals:
        chosen: The weights of a filter, float32 (depth, side, side).
        failed: The LecternError why the filters cannot be loaded.
    """

    chosen = Signal(object)
    failed = Signal(object)

    def __init__(self, backend: ExplanationBackend, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._backend = backend
        self._filters: Activations | None = None
        self.setRange(1, 1)
        self.setAccessibleName(self.tr("Number of the network's filter"))
        self._worker = Worker("filters", self)
        self._worker.result_ready.connect(self._set_filters)
        self._worker.failed.connect(self.failed)
        self.valueChanged.connect(self._choose)

    def load(self, model: Card | None) -> None:
        """Show the filters of a model, and choose one as soon as they are loaded; hide for None."""
        self._worker.cancel()
        self._filters = None
        self.setVisible(model is not None)
        self.setEnabled(False)
        if model is not None:
            self._worker.call(partial(self._backend.first_filters, model))

    @Slot(object)
    def _set_filters(self, filters: Activations) -> None:
        self._filters = filters
        with QSignalBlocker(self):
            self.setRange(1, len(filters))
            self.setPrefix(self.tr("No. "))
            self.setSuffix(self.tr(" of {0}").format(len(filters)))
        self.setEnabled(True)
        self._choose()

    def _choose(self) -> None:
        if self._filters is not None:
            self.chosen.emit(self._filters[self.value() - 1])
