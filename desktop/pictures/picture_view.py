"""Shows a picture, or a hint where pictures can be dropped."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

# Pictures up to this many pixels a side are enlarged with sharp pixels.
_MAX_SHARP = 100


class PictureView(QWidget):
    """Shows a picture as large as it fits.

    Attributes:
        image: The picture; a null image if there is none.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
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
        self.image = image
        self.setAccessibleDescription(name)
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

    def _paint_hint(self, painter: QPainter, area: QRectF) -> None:
        colors = self.palette()
        line = colors.highlight().color() if self._drop_hint else colors.mid().color()
        painter.setPen(QPen(line, 2, Qt.PenStyle.DashLine))
        painter.setBrush(colors.base())
        painter.drawRoundedRect(area, 8, 8)
        painter.setPen(colors.placeholderText().color())
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        text = self.tr("Drop pictures here, paste one, or open a file")
        painter.drawText(area.adjusted(16, 16, -16, -16), flags, text)
