"""Lays out widgets in lines, as words in a text."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

_SPACING = 8


class FlowLayout(QLayout):
    """Places items from left to right, and begins another line where the width ends.

    A layout is as narrow as its widest item, so that a row of tools does not widen the window. The items of a
    line have one height, and the last ones stand at the right.
    """

    def __init__(self, parent: QWidget, left: Sequence[QWidget], right: Sequence[QWidget] = ()) -> None:
        """Lay out widgets.

        Args:
            parent: The widget to lay out.
            left: Widgets at the left.
            right: Widgets at the right of the last line.
        """
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        for widget in (*left, *right):
            self.addWidget(widget)
        self._right = len(right)

    def addItem(self, item: QLayoutItem) -> None:
        """Append an item."""
        self._items.append(item)

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """Return an item; None beyond the last one."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Remove and return an item; None beyond the last one."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Return no direction: the lines are as high as their items."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Return True."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines in a width."""
        lines = self._lines(width)
        return sum(_height(line) for line in lines) + _SPACING * max(len(lines) - 1, 0)

    def sizeHint(self) -> QSize:
        """Return the size of one line."""
        items = self._visible()
        widths = [item.sizeHint().width() for item in items]
        return QSize(sum(widths) + _SPACING * max(len(widths) - 1, 0), _height(items))

    def minimumSize(self) -> QSize:
        """Return the size of the widest item."""
        items = self._visible()
        return QSize(max((item.minimumSize().width() for item in items), default=0), _height(items))

    def setGeometry(self, rect: QRect) -> None:
        """Place the items."""
        super().setGeometry(rect)
        right = self._items[len(self._items) - self._right :]
        top = rect.top()
        for line in self._lines(rect.width()):
            height = _height(line)
            free = rect.width() - _width(line)
            left = rect.left()
            for item in line:
                if item in right:
                    left, free = left + max(free, 0), 0
                size = QSize(min(item.sizeHint().width(), rect.width()), item.sizeHint().height())
                item.setGeometry(QRect(QPoint(left, top + (height - size.height()) // 2), size))
                left += size.width() + _SPACING
            top += height + _SPACING

    def _visible(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        for item in self._visible():
            if lines and _width([*lines[-1], item]) <= width:
                lines[-1].append(item)
            else:
                lines.append([item])
        return lines


def _width(items: Sequence[QLayoutItem]) -> int:
    return sum(item.sizeHint().width() for item in items) + _SPACING * (len(items) - 1)


def _height(items: Sequence[QLayoutItem]) -> int:
    return max((item.sizeHint().height() for item in items), default=0)
