"""Owns the page that reads a whole folder of pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.folder.batch import Row, pictures_below, read_files, table
from desktop.prediction.dispatcher import Dispatcher
from desktop.prediction.worker import Worker
from desktop.window.messages import announce, error_message, format_percent
from service.client import ModelSummary
from service.inference import LecternError

_MARGIN = 16
# Rows come by the hundred each second; showing each portion by itself would keep the window busy.
_PACE_MS = 100
_Index: TypeAlias = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class _Found:
    """How many files there are to be read."""

    count: int


class _Rows(QAbstractTableModel):
    """The rows, as a table view wants them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self._titles = (self.tr("File"), self.tr("Result"), self.tr("Probability"))

    def clear(self) -> None:
        self.beginResetModel()
        self.rows = []
        self.endResetModel()

    def extend(self, rows: list[Row]) -> None:
        first = len(self.rows)
        self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
        self.rows.extend(rows)
        self.endInsertRows()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._titles[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and row.error is not None:
            return str(row.error)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._texts(row)[index.column()]

    def _texts(self, row: Row) -> tuple[str, str, str]:
        if row.reading is None:
            return row.name, "" if row.error is None else error_message(row.error), ""
        prediction = row.reading.prediction
        unsure = self.tr("{0} (not sure)").format(prediction.best.label)
        return (
            row.name,
            unsure if prediction.unsure else prediction.best.label,
            format_percent(prediction.best.score),
        )


class FolderPage(QWidget):
    """Reads every picture of a folder, shows the rows, and saves them as CSV.

    Signals:
        saving: A table is to be saved: its text as CSV, and a name for the file.
    """

    saving = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = QComboBox(self)
        self.models.setAccessibleName(self.tr("Model"))
        self.choose = QPushButton(self.tr("&Choose a folder…"), self)
        self.cancel = QPushButton(self.tr("C&ancel"), self)
        self.save = QPushButton(self.tr("&Save as CSV…"), self)
        self.progress = QProgressBar(self)
        self.state = QLabel(self)
        self.view = QTableView(self)
        self.rows = _Rows(self)
        self._dispatcher: Dispatcher | None = None
        self._summaries: tuple[ModelSummary, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._folder = Path()
        self._fresh: list[Row] = []
        self._pace = QTimer(self)
        self._pace.setSingleShot(True)
        self._pace.setInterval(_PACE_MS)
        self._pace.timeout.connect(self._show_fresh)
        self._count = 0
        self._reads = Worker("folder", self)
        self._reads.result_ready.connect(self._take)
        self._reads.failed.connect(self._stop)
        self._reads.finished.connect(self._finish)
        self.choose.clicked.connect(self.ask_for_folder)
        self.cancel.clicked.connect(self.stop)
        self.save.clicked.connect(self._save)
        self._lay_out()
        self._enable(running=False)

    def title(self) -> str:
        """Return the name on the page's tab."""
        return self.tr("Folder")

    def use(self, dispatcher: Dispatcher, models: tuple[ModelSummary, ...]) -> None:
        """Take over who is asked, and offer the models of pictures that there are."""
        chosen = self.models.currentText()
        self._dispatcher = dispatcher
        self._summaries = tuple(model for model in models if model.task == "image-classification")
        self.models.clear()
        self.models.addItems([model.title.partition(":")[0] for model in self._summaries])
        self.models.setCurrentIndex(max(self.models.findText(chosen), 0))
        self._enable(running=self.cancel.isEnabled())

    def ask_for_folder(self) -> None:
        """Ask which folder to read, and read it."""
        dialog = QFileDialog(self, self.tr("Choose a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.read(Path(name)))
        dialog.open()

    def read(self, folder: Path) -> None:
        """Read a folder with the model that is chosen; stops what was being read."""
        index = self.models.currentIndex()
        if self._dispatcher is None or not 0 <= index < len(self._summaries):
            return
        model, dispatcher = self._summaries[index], self._dispatcher
        self._folder, self._labels, self._count = folder, model.labels, 0
        self._fresh = []
        self.rows.clear()
        self.state.setText(self.tr("Looking for pictures…"))
        self.progress.setRange(0, 0)
        self._enable(running=True)

        def job() -> Iterator[object]:
            files = pictures_below(folder)
            yield _Found(len(files))
            yield from read_files(folder, files, partial(dispatcher.predict, model.name, version=None))

        self._reads.cancel()
        self._reads.put(job)

    def stop(self) -> None:
        """Stop reading; the rows so far stay."""
        self._reads.cancel()
        self._show_fresh()
        self._end(self.tr("Cancelled after {0} of {1} files").format(len(self.rows.rows), self._count))

    def close_workers(self) -> None:
        """Stop the thread."""
        self._reads.close()

    @Slot(object)
    def _take(self, came: object) -> None:
        if isinstance(came, _Found):
            self._count = came.count
            self.progress.setRange(0, max(came.count, 1))
            return
        assert isinstance(came, list)
        self._fresh.extend(came)
        if not self._pace.isActive():
            self._pace.start()

    def _show_fresh(self) -> None:
        if self._fresh:
            self.rows.extend(self._fresh)
            self._fresh = []
        self.progress.setValue(len(self.rows.rows))
        self.state.setText(self.tr("{0} of {1} files").format(len(self.rows.rows), self._count))

    @Slot(object)
    def _stop(self, error: LecternError) -> None:
        self._show_fresh()
        self._end(error_message(error))

    def _finish(self) -> None:
        self._show_fresh()
        refused = sum(row.error is not None for row in self.rows.rows)
        words = self.tr("{0} files, of which {1} could not be read").format(len(self.rows.rows), refused)
        self._end(words if self._count else self.tr("There are no pictures in this folder."))

    def _end(self, words: str) -> None:
        self._pace.stop()
        self.progress.setRange(0, max(self._count, 1))
        self.progress.setValue(len(self.rows.rows))
        self.state.setText(words)
        self._enable(running=False)
        announce(self, words)

    def _enable(self, *, running: bool) -> None:
        self.cancel.setEnabled(running)
        self.choose.setEnabled(not running and bool(self._summaries))
        self.models.setEnabled(not running and bool(self._summaries))
        self.save.setEnabled(not running and bool(self.rows.rows))

    def _save(self) -> None:
        self.saving.emit(table(self.rows.rows, self._labels), f"{self._folder.name or 'folder'}.csv")

    def _lay_out(self) -> None:
        self.view.setModel(self.rows)
        self.view.verticalHeader().hide()
        self.view.setAccessibleName(self.tr("Files and what was read from them"))
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setTabKeyNavigation(False)
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(2, 110)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.models.setMinimumWidth(140)
        top = QHBoxLayout()
        top.setSpacing(8)
        for part in (self.models, self.choose, self.cancel):
            top.addWidget(part)
        top.addStretch(1)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self.progress)
        column.addWidget(self.view, 1)
        column.addLayout(foot)
