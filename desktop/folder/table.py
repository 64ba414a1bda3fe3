"""The table model of a folder's results."""

from typing import TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from desktop.folder.batch import FileResult
from desktop.result.doubt import answer_text
from desktop.window.messages import error_message, format_percent

_PROBABILITY_COLUMN = 2
_Index: TypeAlias = QModelIndex | QPersistentModelIndex


class ResultTableModel(QAbstractTableModel):
    """One row for each file: its name, the predicted label or the error, and the probability."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results: list[FileResult] = []
        self._titles = (self.tr("File"), self.tr("Result"), self.tr("Probability"))

    @property
    def results(self) -> list[FileResult]:
        """The results, in the order of the rows."""
        return self._results

    def clear(self) -> None:
        """Remove all rows."""
        self.beginResetModel()
        self._results = []
        self.endResetModel()

    def extend(self, results: list[FileResult]) -> None:
        """Append rows."""
        first = len(self._results)
        self.beginInsertRows(QModelIndex(), first, first + len(results) - 1)
        self._results.extend(results)
        self.endInsertRows()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """Return the number of files."""
        return 0 if parent.isValid() else len(self._results)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the title of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._titles[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return text, tool tip or alignment of a cell."""
        file = self._results[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and file.error is not None:
            return str(file.error)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == _PROBABILITY_COLUMN:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._texts(file)[index.column()]

    def _texts(self, file: FileResult) -> tuple[str, str, str]:
        if file.result is None:
            return file.name, "" if file.error is None else error_message(file.error), ""
        prediction = file.result.prediction
        label = answer_text(prediction)
        return file.name, label, format_percent(prediction.best.score)
