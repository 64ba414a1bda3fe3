"""The view of enlarged pixels, one of which can be selected."""

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.pictures.images import Pixels, qimage_of_pixels

_PREFERRED_SIZE = 240
_DISABLED_OPACITY = 0.4
_KEY_OFFSETS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class PixelView(QWidget):
    """Shows pixels as large as possible, or a placeholder text.

    Attributes:
        pixels: uint8 (height, width) or (height, width, 3); None while the placeholder is shown.
        image: The pixels at their original size; a null image while the placeholder is shown.
        placeholder: The text that is shown without pixels.
        highlight: The framed pixels; a null rectangle for none.
        selected_pixel: Column and row of the selected pixel; None for none.

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
        self.pixels: Pixels | None = None
        self.image = QImage()
        self.placeholder = ""
        self.highlight = QRect()
        self.selected_pixel: QPoint | None = None
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        if selectable:
            self.setMouseTracking(True)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.CrossCursor)

    def set_pixels(self, pixels: Pixels) -> None:
        """Show pixels, uint8 (height, width) or (height, width, 3)."""
        self.pixels = pixels
        self.image = qimage_of_pixels(pixels)
        self.placeholder = ""
        self.setAccessibleDescription(
            self.tr("{0} × {1} pixels").format(self.image.width(), self.image.height())
        )
        if self.selected_pixel is not None and not self.image.rect().contains(self.selected_pixel):
            self._select(None)
        self.update()

    def show_placeholder(self, text: str) -> None:
        """Show a text in place of pixels."""
        self.pixels = None
        self.image = QImage()
        self.placeholder = text
        self.highlight = QRect()
        self.setAccessibleDescription(text)
        self._select(None)
        self.update()

    def set_highlight(self, pixels: QRect) -> None:
        """Frame some pixels, which may lie outside of the image; a null rectangle removes the frame."""
        self.highlight = pixels
        self.update()

    def image_rect(self) -> QRectF:
        """Return the area of the pixels in widget coordinates."""
        size = self.image.size() if not self.image.isNull() else QSize(1, 1)
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
        if self.image.isNull():
            painter.setPen(QPen(colors.mid().color(), 1))
            painter.setBrush(colors.base())
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 6, 6)
            painter.setPen(colors.placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect.adjusted(12, 12, -12, -12), flags, self.placeholder)
            return
        shrinks = rect.width() < self.image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth or shrinks)
        painter.setOpacity(1.0 if self.isEnabled() else _DISABLED_OPACITY)
        painter.drawImage(rect, self.image, QRectF(self.image.rect()))
        painter.setOpacity(1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if not self.highlight.isNull():
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
        if offset is None or not self._selectable or self.image.isNull():
            super().keyPressEvent(event)
            return
        middle = QPoint(self.image.width() // 2, self.image.height() // 2)
        pixel = middle if self.selected_pixel is None else self.selected_pixel + offset
        if self.image.rect().contains(pixel):
            self._select(pixel)

    def _scale(self, size: QSize) -> float:
        return min(self.width() / size.width(), self.height() / size.height())

    def _pixel_at(self, position: QPointF) -> QPoint | None:
        rect = self.image_rect()
        if self.image.isNull() or not rect.contains(position):
            return None
        offset = (position - rect.topLeft()) / self._scale(self.image.size())
        return QPoint(
            min(int(offset.x()), self.image.width() - 1), min(int(offset.y()), self.image.height() - 1)
        )

    def _select(self, pixel: QPoint | None) -> None:
        if pixel != self.selected_pixel:
            self.selected_pixel = pixel
            self.pixel_selected.emit(pixel)

    def _paint_highlight(self, painter: QPainter) -> None:
        scale, origin = self._scale(self.image.size()), self.image_rect().topLeft()
        frame = QRectF(
            origin + self.highlight.topLeft().toPointF() * scale, self.highlight.size().toSizeF() * scale
        )
        # Two colours, so that the frame is visible on any pixels.
        for color, width in ((Qt.GlobalColor.black, 4), (Qt.GlobalColor.yellow, 2)):
            painter.setPen(QPen(color, width))
            painter.drawRect(frame)
