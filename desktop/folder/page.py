"""The page that classifies all images of a folder."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHeaderView, QLabel, QProgressBar, QPushButton, QTableView, QWidget

from desktop.flow_layout import FlowLayout
from desktop.folder.batch import FileResult, classify_folder, to_csv
from desktop.folder.table import ResultTableModel
from desktop.names import model_name
from desktop.prediction.connection import Connection
from desktop.prediction.dispatcher import ConnectionState
from desktop.prediction.worker import Worker
from desktop.widgets import PAGE_MARGIN, column, create_combo, open_file_dialog, row
from desktop.window.actions import create_action
from desktop.window.messages import announce, error_message
from service.client import ModelSummary
from service.inference import LecternError

_MIN_COLUMN_WIDTH = 110


class FolderPage(QWidget):
    """Classifies a folder with a chosen model, shows the results in a table, and exports them.

    Attributes:
        title: Title of the tab.
        open: The action that asks for a folder.

    Signals:
        activated: The page asks to be shown.
        save_requested: The user exports the results; carries the CSV text and a file name.
    """

    activated = Signal()
    save_requested = Signal(str, str)

    def __init__(self, connection: Connection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Folder")
        self._connection = connection
        self.open = create_action(self, self.tr("Classify a &folder…"), self.ask_for_folder, "Ctrl+Shift+O")
        self.models = create_combo(self.tr("Model"), parent=self)
        self.choose = QPushButton(self.tr("&Choose a folder…"), self)
        self.cancel = QPushButton(self.tr("C&ancel"), self)
        self.save = QPushButton(self.tr("&Save as CSV…"), self)
        self.progress = QProgressBar(self)
        self.status = QLabel(self)
        self.view = QTableView(self)
        self.table = ResultTableModel(self)
        self._labels: tuple[str, ...] = ()
        self._folder = Path()
        self._file_count = 0
        self._worker = Worker("folder", self)
        self._worker.result_ready.connect(self._show_results)
        self._worker.failed.connect(self._show_error)
        self._worker.finished.connect(self._show_summary)
        connection.changed.connect(self._offer_models)
        self.choose.clicked.connect(self.ask_for_folder)
        self.cancel.clicked.connect(self.stop)
        self.save.clicked.connect(self._save)
        self._lay_out()
        self._set_running(False)

    def ask_for_folder(self) -> None:
        """Open a dialog for a folder, and classify it."""
        self.activated.emit()
        open_file_dialog(
            self,
            self.tr("Choose a folder"),
            QFileDialog.FileMode.Directory,
            lambda names: self.classify(Path(names[0])),
        )

    def classify(self, folder: Path) -> None:
        """Classify a folder with the selected model; replaces a classification that is running."""
        model: ModelSummary | None = self.models.currentData()
        if model is None:
            self.status.setText(self.tr("No model for pictures is available."))
            return
        self._folder, self._labels, self._file_count = folder, model.labels, 0
        self.table.clear()
        self.progress.setRange(0, 0)
        self.status.setText(self.tr("Searching for pictures…"))
        self._set_running(True)
        classify = partial(self._connection.dispatcher.predict, model.name, version=None)
        self._worker.cancel()
        self._worker.put(partial(classify_folder, folder, classify))

    def stop(self) -> None:
        """Cancel the classification; the results so far stay."""
        self._worker.cancel()
        text = self.tr("Cancelled after {0} of {1} files")
        self._end(text.format(self.table.rowCount(), self._file_count))

    @Slot(object)
    def _offer_models(self, state: ConnectionState) -> None:
        selected = self.models.currentText()
        self.models.clear()
        for model in state.models:
            if model.task == "image-classification":
                self.models.addItem(model_name(model.title), model)
        self.models.setCurrentIndex(max(self.models.findText(selected), 0))
        self._set_running(self.cancel.isEnabled())

    @Slot(object)
    def _show_results(self, results: int | list[FileResult]) -> None:
        if isinstance(results, int):
            self._file_count = results
            self.progress.setRange(0, max(results, 1))
            return
        self.table.extend(results)
        self.progress.setValue(self.table.rowCount())
        self.status.setText(self.tr("{0} of {1} files").format(self.table.rowCount(), self._file_count))

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self._end(error_message(error))

    def _show_summary(self) -> None:
        errors = sum(file.error is not None for file in self.table.results)
        text = self.tr("{0} files, {1} of them with errors").format(self._file_count, errors)
        self._end(text if self._file_count else self.tr("This folder contains no pictures."))

    def _end(self, text: str) -> None:
        self.progress.setRange(0, max(self._file_count, 1))
        self.progress.setValue(self.table.rowCount())
        self.status.setText(text)
        self._set_running(False)
        announce(self, text)

    def _set_running(self, running: bool) -> None:
        self.cancel.setEnabled(running)
        for control in (self.choose, self.models):
            control.setEnabled(not running and self.models.count() > 0)
        self.save.setEnabled(not running and self.table.rowCount() > 0)

    def _save(self) -> None:
        self.save_requested.emit(
            to_csv(self.table.results, self._labels), f"{self._folder.name or 'folder'}.csv"
        )

    def _lay_out(self) -> None:
        self.view.setModel(self.table)
        self.view.verticalHeader().hide()
        self.view.setAccessibleName(self.tr("Results of the files"))
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setTabKeyNavigation(False)
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(2, max(_MIN_COLUMN_WIDTH, header.sectionSizeHint(2) + PAGE_MARGIN))
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.models.setMinimumWidth(140)
        top = QWidget(self)
        FlowLayout(top, (self.models, self.choose, self.cancel))
        footer = row((self.status, 1), self.save, spacing=None)
        parts = (top, self.progress, (self.view, 1), footer)
        column(*parts, parent=self, margin=PAGE_MARGIN, spacing=12)
