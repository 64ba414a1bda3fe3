"""The view of enlarged pixels, one of which can be selected."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.pictures.images import qimage_of_pixels

_PREFERRED_SIZE = 240
_KEY_OFFSETS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class PixelView(QWidget):
    """Shows pixels as large as possible, or a placeholder text.

    Signals:
        pixel_selected: The pixel below the mouse or chosen with the arrow keys, a QPoint of column and row;
            None for no pixel.
    """

    pixel_selected = Signal(object)

    def __init__(
        self, name: str, parent: QWidget | None = None, *, selectable: bool = False, smooth: bool = False
    ) -> None:
        """Create an empty view.

        Args:
            name: Name for screen readers.
            parent: Parent widget.
            selectable: Whether mouse and arrow keys select pixels.
            smooth: Whether enlarged pixels are interpolated.
        """
        super().__init__(parent)
        self._selectable = selectable
        self._smooth = smooth
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._image = QImage()
        self._placeholder = ""
        self._highlight = QRect()
        self._selected: QPoint | None = None
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        if selectable:
            self.setMouseTracking(True)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def pixels(self) -> npt.NDArray[np.uint8] | None:
        """The pixels, uint8 (height, width) or (height, width, 3); None while the placeholder is shown."""
        return self._pixels

    @property
    def image(self) -> QImage:
        """The pixels at their original size; a null image while the placeholder is shown."""
        return self._image

    @property
    def highlight(self) -> QRect:
        """The framed pixels; a null rectangle for none."""
        return self._highlight

    @property
    def selected_pixel(self) -> QPoint | None:
        """Column and row of the selected pixel; None for none."""
        return self._selected

    @property
    def placeholder(self) -> str:
        """The text that is shown without pixels."""
        return self._placeholder

    def set_pixels(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Show pixels, uint8 (height, width) or (height, width, 3)."""
        self._pixels = pixels
        self._image = qimage_of_pixels(pixels)
        self._placeholder = ""
        self.setAccessibleDescription(
            self.tr("{0} × {1} pixels").format(self._image.width(), self._image.height())
        )
        if self._selected is not None and not self._image.rect().contains(self._selected):
            self._select(None)
        self.update()

    def show_placeholder(self, text: str) -> None:
        """Show a text in place of pixels."""
        self._pixels = None
        self._image = QImage()
        self._placeholder = text
        self._highlight = QRect()
        self.setAccessibleDescription(text)
        self._select(None)
        self.update()

    def set_highlight(self, pixels: QRect) -> None:
        """Frame some pixels, which may lie outside of the image; a null rectangle removes the frame."""
        self._highlight = pixels
        self.update()

    def image_rect(self) -> QRectF:
        """Return the area of the pixels in widget coordinates."""
        size = self._image.size() if not self._image.isNull() else QSize(1, 1)
        width, height = size.width() * self._scale(size), size.height() * self._scale(size)
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(_PREFERRED_SIZE, _PREFERRED_SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pixels and the frames, or the placeholder."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect, colors = self.image_rect(), self.palette()
        if self._image.isNull():
            painter.setPen(QPen(colors.mid().color(), 1))
            painter.setBrush(colors.base())
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 6, 6)
            painter.setPen(colors.placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect.adjusted(12, 12, -12, -12), flags, self._placeholder)
            return
        shrinks = rect.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth or shrinks)
        painter.drawImage(rect, self._image, QRectF(self._image.rect()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if not self._highlight.isNull():
            self._paint_highlight(painter)
        if self.hasFocus():
            painter.setPen(QPen(colors.highlight().color(), 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select the pixel below the mouse."""
        if self._selectable:
            self._select(self._pixel_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Clear the selection."""
        self._select(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the selection with the arrow keys; the first one selects the middle."""
        offset = _KEY_OFFSETS.get(Qt.Key(event.key()))
        if offset is None or not self._selectable or self._image.isNull():
            super().keyPressEvent(event)
            return
        middle = QPoint(self._image.width() // 2, self._image.height() // 2)
        pixel = middle if self._selected is None else self._selected + offset
        if self._image.rect().contains(pixel):
            self._select(pixel)

    def _scale(self, size: QSize) -> float:
        return min(self.width() / size.width(), self.height() / size.height())

    def _pixel_at(self, position: QPointF) -> QPoint | None:
        rect = self.image_rect()
        if self._image.isNull() or not rect.contains(position):
            return None
        offset = (position - rect.topLeft()) / self._scale(self._image.size())
        return QPoint(
            min(int(offset.x()), self._image.width() - 1), min(int(offset.y()), self._image.height() - 1)
        )

    def _select(self, pixel: QPoint | None) -> None:
        if pixel != self._selected:
            self._selected = pixel
            self.pixel_selected.emit(pixel)

    def _paint_highlight(self, painter: QPainter) -> None:
        scale, origin = self._scale(self._image.size()), self.image_rect().topLeft()
        frame = QRectF(
            origin + self._highlight.topLeft().toPointF() * scale, self._highlight.size().toSizeF() * scale
        )
        # Two colours, so that the frame is visible on any pixels.
        for color, width in ((Qt.GlobalColor.black, 4), (Qt.GlobalColor.yellow, 2)):
            painter.setPen(QPen(color, width))
            painter.drawRect(frame)
