"""The comparison of the prediction with that of another version of the model."""

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop import theme
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse
from desktop.result.certainty import tile_answer
from desktop.widgets import create_combo, row
from service.client import ModelSummary


class Comparison(QWidget):
    """The version to compare with and its answer; hidden until its action shows it.

    Attributes:
        action: Shows and hides the comparison.

    Signals:
        scores_changed: The Scores of the compared version; an empty tuple while there are none.
    """

    scores_changed = Signal(tuple)

    def __init__(self, controller: PredictionController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.versions = create_combo(self.tr("Version to compare with"), parent=self)
        self.headline = QLabel(self)
        self._model: tuple[ModelSummary | None, int | None] = (None, None)
        self.action = QAction(self.tr("Compare &versions"), self)
        self.action.setCheckable(True)
        self.action.setShortcut(QKeySequence("Ctrl+Shift+V"))
        self.action.setEnabled(False)
        self.headline.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row(self.versions, (self.headline, 1), parent=self)
        self.hide()
        self.action.toggled.connect(self._show)
        self.versions.currentIndexChanged.connect(self._compare)
        controller.model_changed.connect(self._offer_versions)
        controller.response_changed.connect(lambda response: self._clear() if response is None else None)
        controller.failed.connect(lambda error: self._clear())
        controller.outdated.connect(self._clear)
        controller.comparison_completed.connect(self._show_response)

    @property
    def version(self) -> int | None:
        """The version to compare with; None while nothing is compared."""
        version: int | None = self.versions.currentData() if self.action.isChecked() else None
        return version

    def _show(self, shown: bool) -> None:
        self.setVisible(shown and self.versions.count() > 0)
        self._compare()
        if not shown:
            self._clear()

    def _compare(self) -> None:
        self._controller.compared_version = self.version
        if self.version is not None:
            response = self._controller.response
            # Finished content stays so: unfinished content would stop the predictions of further pictures.
            self._controller.predict(settled=response is not None and response.request.settled)

    def _offer_versions(self) -> None:
        model, version = self._controller.model, self._controller.version
        if (model, version) == self._model:
            return
        self._model = (model, version)
        others = [] if model is None else [number for number in sorted(model.versions) if number != version]
        selected = self.versions.currentData()
        with QSignalBlocker(self.versions):
            self.versions.clear()
            for number in others:
                self.versions.addItem(self.tr("Version {0}").format(number), number)
            self.versions.setCurrentIndex(max(self.versions.findData(selected), 0) if others else -1)
        self.action.setEnabled(bool(others))
        self.setVisible(self.action.isChecked() and bool(others))
        self._clear()
        self._controller.compared_version = self.version

    def _clear(self) -> None:
        self.headline.clear()
        self.scores_changed.emit(())

    @Slot(object)
    def _show_response(self, response: PredictionResponse) -> None:
        if not self.action.isChecked():
            return
        result = response.result
        self.headline.setText(tile_answer(result).tip)
        palette = self.palette()
        palette.setColor(palette.ColorRole.WindowText, theme.compared_color(palette))
        self.headline.setPalette(palette)
        self.scores_changed.emit(() if result.reading is not None else result.prediction.scores)
