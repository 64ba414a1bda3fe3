"""Shows a picture, or a hint where pictures can be dropped."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.drawing.digit_boxes import paint_boxes
from desktop.empty_state import Icon, paint_empty_state
from service.inference.reading.reading import ReadDigit

# Pictures up to this many pixels a side are enlarged with sharp pixels.
_MAX_SHARP = 100


class PictureView(QWidget):
    """Shows a picture as large as it fits.

    Attributes:
        hint: The text in place of a picture.
        image: The picture; a null image if there is none.
        digits: The digits that have boxes.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = self.tr("Drop pictures here, paste one, or open a file")
        self.image = QImage()
        self.digits: tuple[ReadDigit, ...] = ()
        self._width = 0
        self._drop_hint = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 100)
        self.setAccessibleName(self.tr("Picture"))

    def show_image(self, image: QImage, name: str) -> None:
        """Show a picture, or none for a null image.

        Args:
            image: The picture.
            name: Description for screen readers.
        """
        self.image, self.digits = image, ()
        self.setAccessibleDescription(name)
        self.update()

    def show_digits(self, digits: Sequence[ReadDigit], *, width: int) -> None:
        """Show boxes around digits until the next call, or until another picture is shown.

        Args:
            digits: Have boxes in pixels of the original picture.
            width: Width of that picture in pixels.
        """
        if tuple(digits) != self.digits:
            self.digits, self._width = tuple(digits), width
            self.update()

    def show_drop_hint(self, visible: bool) -> None:
        """Show or hide that a dragged picture can be dropped."""
        self._drop_hint = visible
        self.update()

    def sizeHint(self) -> QSize:
        """Return the default size."""
        return QSize(440, 400)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture or the hint."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.image.isNull() or self._drop_hint:
            self._paint_hint(painter, area)
            return
        target = QRectF()
        target.setSize(self.image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio))
        target.moveCenter(area.center())
        smooth = max(self.image.width(), self.image.height()) > _MAX_SHARP
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(target, self.image, QRectF(self.image.rect()))
        if self.digits and self._width:
            color = self.palette().highlight().color()
            paint_boxes(painter, target, self.digits, width=self._width, color=color)

    def _paint_hint(self, painter: QPainter, area: QRectF) -> None:
        colors = self.palette()
        line = colors.highlight().color() if self._drop_hint else colors.mid().color()
        painter.setPen(QPen(line, 2, Qt.PenStyle.DashLine))
        painter.setBrush(colors.base())
        painter.drawRoundedRect(area, 8, 8)
        color = colors.placeholderText().color()
        inside = area.adjusted(16, 16, -16, -16)
        paint_empty_state(painter, inside, Icon.PICTURE, self.hint, font=self.font(), color=color)
