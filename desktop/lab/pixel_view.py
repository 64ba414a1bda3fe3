"""Owns the view of pixels that can be pointed at."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.pictures.images import qimage_of_pixels

_USUAL = 240
_KEYS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class PixelView(QWidget):
    """Shows pixels as large as they fit, or an invitation; one pixel can be pointed at.

    Attributes:
        points: Whether mouse and arrow keys point at pixels.

    Signals:
        pointed: The pixel that is pointed at, a QPoint of column and row; None for no pixel.
    """

    pointed = Signal(object)

    def __init__(
        self, name: str, parent: QWidget | None = None, *, points: bool = False, smooth: bool = False
    ) -> None:
        """Make an empty view.

        Args:
            name: For screen readers.
            parent: Qt's.
            points: Whether mouse and arrow keys point at pixels.
            smooth: Whether enlarged pixels flow into each other.
        """
        super().__init__(parent)
        self.points = points
        self._smooth = smooth
        self._image = QImage()
        self._invitation = ""
        self._mark = QRect()
        self._spot: QPoint | None = None
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        if points:
            self.setMouseTracking(True)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def image(self) -> QImage:
        """What is shown, one pixel a pixel; a null picture for nothing."""
        return self._image

    @property
    def mark(self) -> QRect:
        """The pixels that are framed; a null rectangle for none."""
        return self._mark

    @property
    def spot(self) -> QPoint | None:
        """The pixel that is pointed at, column and row; None for none."""
        return self._spot

    @property
    def placeholder(self) -> str:
        """The sentence that stands where nothing is shown."""
        return self._invitation

    def show_pixels(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Show uint8 pixels (height, width) or (height, width, 3)."""
        self._image = qimage_of_pixels(pixels)
        self._invitation = ""
        self.setAccessibleDescription(
            self.tr("{0} × {1} pixels").format(self._image.width(), self._image.height())
        )
        if self._spot is not None and not self._image.rect().contains(self._spot):
            self._point(None)
        self.update()

    def show_placeholder(self, text: str) -> None:
        """Show a sentence in place of pixels."""
        self._image = QImage()
        self._invitation = text
        self._mark = QRect()
        self.setAccessibleDescription(text)
        self._point(None)
        self.update()

    def frame(self, mark: QRect) -> None:
        """Frame some pixels, which may lie outside; a null rectangle frames none."""
        self._mark = mark
        self.update()

    def area(self) -> QRectF:
        """Return where the pixels are shown, in the widget's coordinates."""
        size = self._image.size() if not self._image.isNull() else QSize(1, 1)
        room = QRectF(self.rect())
        scale = min(room.width() / size.width(), room.height() / size.height())
        width, height = size.width() * scale, size.height() * scale
        return QRectF((room.width() - width) / 2, (room.height() - height) / 2, width, height)

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return QSize(_USUAL, _USUAL)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pixels and the frame, or the invitation."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, colors = self.area(), self.palette()
        if self._image.isNull():
            painter.setPen(QPen(colors.mid().color(), 1))
            painter.setBrush(colors.base())
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)
            painter.setPen(colors.placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area.adjusted(12, 12, -12, -12), flags, self._invitation)
            return
        shrinks = area.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth or shrinks)
        painter.drawImage(area, self._image, QRectF(self._image.rect()))
        if not self._mark.isNull():
            self._paint_frame(painter, area)
        if self.hasFocus():
            painter.setPen(QPen(colors.highlight().color(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the pixel below the mouse."""
        if self.points:
            self._point(self._pixel(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing any more."""
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Point with the arrow keys, from the middle on."""
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None or not self.points or self._image.isNull():
            super().keyPressEvent(event)
            return
        middle = QPoint(self._image.width() // 2, self._image.height() // 2)
        spot = middle if self._spot is None else self._spot + step
        self._point(spot if self._image.rect().contains(spot) else self._spot)

    def _pixel(self, position: QPointF) -> QPoint | None:
        area = self.area()
        if self._image.isNull() or not area.contains(position):
            return None
        at = position - area.topLeft()
        scale = self._image.width() / area.width()
        return QPoint(
            min(int(at.x() * scale), self._image.width() - 1),
            min(int(at.y() * scale), self._image.height() - 1),
        )

    def _point(self, spot: QPoint | None) -> None:
        if spot != self._spot:
            self._spot = spot
            self.pointed.emit(spot)

    def _paint_frame(self, painter: QPainter, area: QRectF) -> None:
        scale = area.width() / self._image.width()
        frame = QRectF(
            area.left() + self._mark.left() * scale,
            area.top() + self._mark.top() * scale,
            self._mark.width() * scale,
            self._mark.height() * scale,
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # Two colours, so that the frame is seen on any pixels.
        painter.setPen(QPen(Qt.GlobalColor.black, 4))
        painter.drawRect(frame)
        painter.setPen(QPen(Qt.GlobalColor.yellow, 2))
        painter.drawRect(frame)
