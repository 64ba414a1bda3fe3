"""Owns the place where a picture is shown, or the invitation to bring one."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

_SMALL = 100


class PictureView(QWidget):
    """Shows a picture as large as it fits, small ones with sharp pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._welcome = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self.setAccessibleName(self.tr("Picture"))

    @property
    def image(self) -> QImage:
        """What is shown; a null picture for nothing."""
        return self._image

    def show_image(self, image: QImage, name: str) -> None:
        """Show a picture, or nothing for a null one."""
        self._image = image
        self.setAccessibleDescription(name)
        self.update()

    def show_drop_hint(self, welcome: bool) -> None:
        """Show that what is being dragged can be dropped."""
        self._welcome = welcome
        self.update()

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return QSize(440, 400)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, or the invitation."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        colors = self.palette()
        if self._image.isNull() or self._welcome:
            line = colors.highlight().color() if self._welcome else colors.mid().color()
            painter.setPen(QPen(line, 2, Qt.PenStyle.DashLine))
            painter.setBrush(colors.base())
            painter.drawRoundedRect(area, 8, 8)
            painter.setPen(colors.placeholderText().color())
            text = self.tr("Drop pictures here, paste one, or open a file")
            painter.drawText(
                area.adjusted(16, 16, -16, -16), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text
            )
            return
        size = self._image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(
            area.center().x() - size.width() / 2,
            area.center().y() - size.height() / 2,
            size.width(),
            size.height(),
        )
        smooth = max(self._image.width(), self._image.height()) > _SMALL
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(place, self._image, QRectF(self._image.rect()))
