"""The arrangement of an input, what is applied to it, and the output."""

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

_SPACING = 12


class FlowRow(QWidget):
    """Shows an input, an operation and an output in a row; where that is too wide, input above output.

    Attributes:
        stacked: Whether the input is above the output.
    """

    def __init__(
        self, source: QWidget, operation: QWidget, output: QWidget, parent: QWidget | None = None
    ) -> None:
        """Take the widgets over.

        Args:
            source: The input; it and the output share the free space.
            operation: What is between them; it keeps its preferred size.
            output: The output.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.stacked = False
        self._source, self._operation, self._output = source, operation, output
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_SPACING)
        self._place()

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size, with the input above the output."""
        first, middle, last = self._smallest()
        return QSize(
            max(first.width(), last.width()) + _SPACING + middle.width(),
            max(first.height() + _SPACING + last.height(), middle.height()),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the arrangement for the new width."""
        super().resizeEvent(event)
        self._update()

    def event(self, event: QEvent) -> bool:
        """Choose the arrangement again when one of the widgets has another size."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._update()
            self.updateGeometry()
        return super().event(event)

    def _update(self) -> None:
        needed = sum(size.width() for size in self._smallest()) + 2 * _SPACING
        if self.stacked != (self.width() < needed):
            self.stacked = not self.stacked
            self._place()

    def _place(self) -> None:
        grid, stacked = self._grid, self.stacked
        for part in (self._source, self._operation, self._output):
            grid.removeWidget(part)
        grid.addWidget(self._source, 0, 0)
        grid.addWidget(self._operation, 0, 1, 2 if stacked else 1, 1)
        grid.addWidget(self._output, *((1, 0) if stacked else (0, 2)))
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(2, 0 if stacked else 1)
        grid.setRowStretch(0, 1)
        grid.setRowStretch(1, 1 if stacked else 0)

    def _smallest(self) -> tuple[QSize, QSize, QSize]:
        source, output = (
            part.minimumSize().expandedTo(part.minimumSizeHint()) for part in (self._source, self._output)
        )
        return source, self._operation.minimumSizeHint(), output
