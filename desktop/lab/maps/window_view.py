"""The view of pixels over which a window slides."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop.pictures.images import Pixels
from desktop.result.pixel_view import PixelView

_PIN_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class WindowView(PixelView):
    """Shows pixels with their padding, the taps of a window, and how far an output is filled.

    Attributes:
        pinned: The selected pixel that stays selected when the mouse leaves; None for none.
        padding: Zeros that are shown at each edge.
        filled: Number of pixels that are shown, row by row; None for all.
        taps: Pixels that a dilated window uses, in the coordinates of the unpadded pixels.

    Signals:
        pixel_pinned: A pixel was clicked, a QPoint of column and row.
    """

    pixel_pinned = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None, *, selectable: bool = False) -> None:
        super().__init__(name, parent, selectable=selectable)
        self.pinned: QPoint | None = None
        self.padding = 0
        self.filled: int | None = None
        self.taps: tuple[QPoint, ...] = ()
        self.setMinimumSize(112, 112)

    def set_pixels(self, pixels: Pixels) -> None:
        """Show pixels, and release a pinned one that they do not have."""
        height, width = pixels.shape[:2]
        if self.pinned is not None and not QRect(0, 0, width, height).contains(self.pinned):
            self.pinned = None
        super().set_pixels(pixels)

    def set_padded_pixels(self, pixels: Pixels, padding: int) -> None:
        """Show pixels, uint8 (height, width) or (height, width, 3), with zeros at each edge."""
        self.padding = padding
        edges = ((padding, padding), (padding, padding), (0, 0))[: pixels.ndim]
        self.set_pixels(np.pad(pixels, edges) if padding else pixels)

    def set_window(self, window: QRect, taps: Sequence[QPoint] = ()) -> None:
        """Frame a window, in the coordinates of the unpadded pixels, and mark its taps."""
        self.taps = tuple(taps)
        self.set_highlight(window.translated(self.padding, self.padding) if not window.isNull() else window)

    def set_filled(self, count: int | None) -> None:
        """Show the first pixels only, row by row; all if None."""
        if count != self.filled:
            self.filled = count
            self.update()

    def pin(self, pixel: QPoint | None) -> None:
        """Keep a pixel selected; None for none."""
        self.pinned = pixel
        self._select(pixel)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pin the pixel below the mouse; a second click releases it."""
        pixel = self._pixel_at(event.position())
        if self._selectable and pixel is not None:
            self.pin(None if pixel == self.pinned else pixel)
            self.pixel_pinned.emit(pixel)

    def leaveEvent(self, event: QEvent) -> None:
        """Select the pinned pixel again."""
        self._select(self.pinned)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pin the selected pixel with Space or Enter; move the selection with the arrow keys."""
        if event.key() in _PIN_KEYS and self.selected_pixel is not None:
            self.pin(None if self.selected_pixel == self.pinned else self.selected_pixel)
            self.pixel_pinned.emit(self.selected_pixel)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pixels, what is not filled yet, the edge of the padding and the frames."""
        super().paintEvent(event)
        if self.image.isNull():
            return
        painter = QPainter(self)
        if self.filled is not None:
            self._cover_rest(painter, self.filled)
        if self.padding:
            size = self.image.size() - QSize(2 * self.padding, 2 * self.padding)
            painter.setPen(QPen(self.palette().mid().color(), 1, Qt.PenStyle.DashLine))
            painter.drawRect(self._area(QRect(QPoint(self.padding, self.padding), size)))
        painter.setPen(QPen(QColor(Qt.GlobalColor.yellow), 1))
        for tap in self.taps:
            painter.drawRect(self._area(QRect(tap + QPoint(self.padding, self.padding), QSize(1, 1))))
        for pixel in (self.selected_pixel, self.pinned):
            if pixel is not None:
                self._frame(painter, QRect(pixel, QSize(1, 1)))

    def _cover_rest(self, painter: QPainter, filled: int) -> None:
        columns, rows = self.image.width(), self.image.height()
        row, column = divmod(filled, columns)
        base = self.palette().base()
        painter.fillRect(self._area(QRect(column, row, columns - column, 1)), base)
        painter.fillRect(self._area(QRect(0, row + 1, columns, rows - row - 1)), base)
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.drawRect(self.image_rect().adjusted(0, 0, -1, -1))

    def _frame(self, painter: QPainter, pixels: QRect) -> None:
        area = self._area(pixels)
        for color, width in ((Qt.GlobalColor.black, 4), (Qt.GlobalColor.yellow, 2)):
            painter.setPen(QPen(color, width))
            painter.drawRect(area)

    def _area(self, pixels: QRect) -> QRectF:
        scale = self._scale(self.image.size())
        return QRectF(
            self.image_rect().topLeft() + pixels.topLeft().toPointF() * scale, pixels.size().toSizeF() * scale
        )
