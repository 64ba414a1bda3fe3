"""The page that classifies all images of folders."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHeaderView, QLabel, QProgressBar, QPushButton, QTableView, QWidget

from desktop.flow_layout import FlowLayout
from desktop.folder.batch import FileResult, classify_folders, common_folder
from desktop.folder.confusion_dialog import ConfusionDialog
from desktop.folder.export import to_csv
from desktop.folder.result_view import ResultView
from desktop.folder.table import ResultTableModel
from desktop.folder.truth import Confusion, confusion
from desktop.names import distinct_names
from desktop.pictures.sample_bar import sample_folder
from desktop.prediction.connection import Connection
from desktop.prediction.dispatcher import ConnectionState
from desktop.prediction.worker import Worker
from desktop.widgets import PAGE_MARGIN, column, create_combo, open_file_dialog, row
from desktop.window.actions import create_action
from desktop.window.messages import announce, error_message, format_percent, left_out_message
from service.client import ModelSummary
from service.inference import LecternError

_MIN_COLUMN_WIDTH = 110
_TRUTH_COLUMN = 3


class FolderPage(QWidget):
    """Classifies folders with a chosen model, shows the results in a table, and exports them.

    Attributes:
        title: Title of the tab.
        open: The action that asks for a folder.

    Signals:
        activated: The page asks to be shown.
        save_requested: The user exports the results; carries the CSV text and a file name.
        save_picture_requested: The user exports the confusion matrix; carries a QImage and a file name.
        picture_requested: A picture is to be opened, given by its path.
    """

    activated = Signal()
    save_requested = Signal(str, str)
    save_picture_requested = Signal(object, str)
    picture_requested = Signal(object)

    def __init__(self, connection: Connection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Folder")
        self._connection = connection
        self.open = create_action(self, self.tr("Classify a &folder…"), self.ask_for_folder, "Ctrl+Shift+O")
        self.models = create_combo(self.tr("Model"), parent=self)
        self.choose = QPushButton(self.tr("&Choose a folder…"), self)
        self.cancel = QPushButton(self.tr("C&ancel"), self)
        self.save = QPushButton(self.tr("&Save as CSV…"), self)
        self.matrix = QPushButton(self.tr("Confusion &matrix…"), self)
        self.samples = QPushButton(self.tr("Classify the samp&les"), self)
        self.progress = QProgressBar(self)
        self.status = QLabel(self)
        hint = self.tr("Drop folders of pictures here, or choose one. Subfolders may be named after labels.")
        self.view = ResultView(hint, self)
        self.table = ResultTableModel(self)
        self._confusion: Confusion | None = None
        self._paths: tuple[Path, ...] = ()
        self._left_out: tuple[str, ...] = ()
        self._file_count = 0
        self._worker = Worker("folder", self)
        self._worker.result_ready.connect(self._show_results)
        self._worker.failed.connect(self._show_error)
        self._worker.finished.connect(self._show_summary)
        connection.changed.connect(self._offer_models)
        self.choose.clicked.connect(self.ask_for_folder)
        self.samples.clicked.connect(self._classify_samples)
        self.cancel.clicked.connect(self.stop)
        self.save.clicked.connect(self._save)
        self.matrix.clicked.connect(self._show_matrix)
        # Only a choice of the user, not another list of models.
        self.models.activated.connect(self._classify_again)
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

    def classify(self, *paths: Path, left_out: Sequence[str] = ()) -> None:
        """Classify folders and picture files with the selected model, as one list; replaces a running one.

        Several folders may be named after labels, like the subfolders of one.

        Args:
            *paths: The folders and the picture files.
            left_out: Names of files that came with them, and are no pictures.
        """
        model: ModelSummary | None = self.models.currentData()
        if model is None:
            self.status.setText(self.tr("No model for pictures is available."))
            return
        self._paths, self._left_out = paths, tuple(left_out)
        self._file_count, self._confusion = 0, None
        self.table.clear(model.labels)
        self.view.setColumnHidden(_TRUTH_COLUMN, True)
        self.progress.setRange(0, 0)
        self.status.setText(self.tr("Searching for pictures…"))
        self._set_running(True)
        classify = partial(self._connection.dispatcher.predict, model.name, version=None)
        self._worker.cancel()
        self._worker.put(partial(classify_folders, paths, classify))

    def stop(self) -> None:
        """Cancel the classification; the results so far stay."""
        self._worker.cancel()
        text = self.tr("Cancelled after {0} of {1} files")
        self._end(text.format(self.table.rowCount(), self._file_count))

    @Slot(object)
    def _offer_models(self, state: ConnectionState) -> None:
        selected: ModelSummary | None = self.models.currentData()
        offered = [model for model in state.models if model.task == "image-classification"]
        self.models.clear()
        for name, model in zip(distinct_names(offered), offered, strict=True):
            self.models.addItem(name, model)
        names = [model.name for model in offered]
        if selected is not None and selected.name in names:
            self.models.setCurrentIndex(names.index(selected.name))
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
        self._confusion = confusion(self.table.results, self.table.labels)
        if self._confusion is not None:
            right, total = self._confusion.correct, self._confusion.total
            accuracy = self.tr("{0} of {1} correct by the names of the subfolders: {2}")
            text += " · " + accuracy.format(right, total, format_percent(right / total))
        self._end(text if self._file_count else self._empty_text())

    def _empty_text(self) -> str:
        if len(self._paths) > 1:
            return self.tr("These folders contain no pictures.")
        return self.tr("This folder contains no pictures.")

    def _end(self, text: str) -> None:
        if self._left_out:
            text += " · " + left_out_message(self._left_out)
        self.progress.setRange(0, max(self._file_count, 1))
        self.progress.setValue(self.table.rowCount())
        self.status.setText(text)
        self.table.sort_again()
        self.view.setColumnHidden(_TRUTH_COLUMN, self._confusion is None)
        self._set_running(False)
        announce(self, text)

    def _set_running(self, running: bool) -> None:
        self.cancel.setEnabled(running)
        for button in (self.choose, self.samples):
            button.setEnabled(not running and self.models.count() > 0)
        self.models.setEnabled(self.models.count() > 0)
        self.matrix.setVisible(not running and self._confusion is not None)
        self.save.setEnabled(not running and self.table.rowCount() > 0)

    def _save(self) -> None:
        self.save_requested.emit(to_csv(self.table.results, self.table.labels), f"{self._name}.csv")

    @property
    def _name(self) -> str:
        return (common_folder(self._paths).name if self._paths else "") or "folder"

    def _classify_again(self) -> None:
        """Classify the folders with the model that the user chose: the rows of another would mislead."""
        if self._paths:
            self.classify(*self._paths, left_out=self._left_out)

    def _classify_samples(self) -> None:
        model: ModelSummary | None = self.models.currentData()
        if model is None:
            return
        folder = sample_folder(model.name)
        if folder is None:
            self.status.setText(self.tr("There are no samples for this model."))
        else:
            self.classify(folder)

    def _open_row(self, index: QModelIndex) -> None:
        if self._paths:
            self.picture_requested.emit(common_folder(self._paths) / self.table.file(index.row()).name)

    def _show_matrix(self) -> None:
        if self._confusion is None:
            return
        dialog = ConfusionDialog(self._confusion, common_folder(self._paths), self)
        dialog.picture_requested.connect(dialog.accept)
        dialog.picture_requested.connect(self.picture_requested)
        name = f"{self._name}-confusion.png"
        dialog.save_requested.connect(lambda image: self.save_picture_requested.emit(image, name))
        dialog.open()

    def _lay_out(self) -> None:
        self.view.setModel(self.table)
        self.view.verticalHeader().hide()
        self.view.setAccessibleName(self.tr("Results of the files"))
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setTabKeyNavigation(False)
        self.view.activated.connect(self._open_row)
        header = self.view.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.view.setSortingEnabled(True)
        self.view.setColumnHidden(_TRUTH_COLUMN, True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(2, max(_MIN_COLUMN_WIDTH, header.sectionSizeHint(2) + PAGE_MARGIN))
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.models.setMinimumWidth(140)
        top = QWidget(self)
        FlowLayout(top, (self.models, self.choose, self.samples, self.cancel))
        footer = row((self.status, 1), self.matrix, self.save, spacing=None)
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        parts = (top, self.progress, (self.view, 1), footer)
        column(*parts, parent=self, margin=PAGE_MARGIN, spacing=12)
