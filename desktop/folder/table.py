"""The table model of a folder's results."""

from typing import TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from desktop.folder.batch import FileResult
from desktop.folder.truth import true_label
from desktop.names import label_name
from desktop.prediction.backends import PredictionResult
from desktop.result.certainty import answer_text, least_score
from desktop.window.messages import error_message, format_percent, reason_message

_RESULT_COLUMN, _PROBABILITY_COLUMN = 1, 2
_Index: TypeAlias = QModelIndex | QPersistentModelIndex


class ResultTableModel(QAbstractTableModel):
    """One row for each file: its name, the prediction or the error, the probability, and the true label.

    Attributes:
        labels: The labels of the model, which subfolders may be named after.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: tuple[str, ...] = ()
        self._results: list[FileResult] = []
        self._rows: list[FileResult] = []
        self._sorting = (-1, Qt.SortOrder.AscendingOrder)
        self._titles = (self.tr("File"), self.tr("Result"), self.tr("Probability"), self.tr("True label"))

    @property
    def results(self) -> list[FileResult]:
        """The results, in the order of the files."""
        return self._results

    def clear(self, labels: tuple[str, ...] = ()) -> None:
        """Remove all rows; the next ones are of a model with these labels."""
        self.beginResetModel()
        self.labels = labels
        self._results = []
        self._rows = []
        self.endResetModel()

    def extend(self, results: list[FileResult]) -> None:
        """Append rows."""
        first = len(self._results)
        self.beginInsertRows(QModelIndex(), first, first + len(results) - 1)
        self._results.extend(results)
        self._rows.extend(results)
        self.endInsertRows()

    def file(self, row: int) -> FileResult:
        """Return the result of a row."""
        return self._rows[row]

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows; by the order of the files for column -1. Rows that come later are at the end."""
        self._sorting = (column, order)
        self.layoutAboutToBeChanged.emit()
        self._rows = list(self._results)
        if column >= 0:
            descending = order == Qt.SortOrder.DescendingOrder
            self._rows.sort(key=lambda file: self._sort_key(file, column), reverse=descending)
        self.layoutChanged.emit()

    def sort_again(self) -> None:
        """Sort the rows that came after :meth:`sort` among the others."""
        if self._sorting[0] >= 0:
            self.sort(*self._sorting)

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
        file = self._rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tool_tip(file, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == _PROBABILITY_COLUMN:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._texts(file)[index.column()]

    def _sort_key(self, file: FileResult, column: int) -> tuple[float, str]:
        if column == _PROBABILITY_COLUMN:
            return (-1.0 if file.result is None else least_score(file.result)), file.name
        return 0.0, self._texts(file)[column]

    def _texts(self, file: FileResult) -> tuple[str, str, str, str]:
        truth = true_label(file.name, self.labels)
        expected = "" if truth is None else label_name(truth)
        if file.result is None:
            return file.shown, "" if file.error is None else error_message(file.error), "", expected
        prediction = file.result.prediction
        if truth is not None:
            expected = f"{'✓' if truth == prediction.best.label else '✗'} {expected}"
        return file.shown, self._answer(file.result), format_percent(least_score(file.result)), expected

    def _answer(self, result: PredictionResult) -> str:
        """Return the number of a picture, or else the label; with why the prediction is unsure."""
        reading, prediction = result.reading, result.prediction
        if reading is not None:
            number = " ".join(reading.texts) + ("?" if reading.unsure else "")
            return self.tr("Several digits: {0}").format(number)
        message = "" if prediction.reason is None else reason_message(prediction.reason)
        return f"{answer_text(prediction)} · {message}" if message else answer_text(prediction)

    def _tool_tip(self, file: FileResult, column: int) -> str | None:
        """Return what a cell has no room for; None for nothing."""
        if file.error is not None:
            return str(file.error)
        if file.result is None or file.result.prediction.reason is None:
            return None
        if column == _RESULT_COLUMN:
            return self._answer(file.result)
        if column == _PROBABILITY_COLUMN and file.result.reading is not None:
            return self.tr("Probability of the least sure digit")
        return None
