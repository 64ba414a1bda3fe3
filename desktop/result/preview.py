"""Owns the view of what the network sees, pixel by pixel."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.pictures.images import qimage_of_pixels

_SIDE = 140


class Preview(QWidget):
    """Shows pixels enlarged, with sharp edges, so that each can be told from the next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._image = QImage()
        self.setFixedSize(_SIDE, _SIDE)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("What the network sees"))
        self.show_pixels(None)

    @property
    def pixels(self) -> npt.NDArray[np.uint8] | None:
        """What is shown: uint8 (height, width) or (height, width, 3); None for nothing."""
        return self._pixels

    @property
    def image(self) -> QImage:
        """What is shown, one pixel a pixel; a null picture for nothing."""
        return self._image

    def show_pixels(self, pixels: npt.NDArray[np.uint8] | None) -> None:
        """Show pixels, or nothing."""
        self._pixels = pixels
        self._image = QImage() if pixels is None else qimage_of_pixels(pixels)
        if pixels is None:
            self.setAccessibleDescription(self.tr("Nothing yet"))
        else:
            height, width = pixels.shape[:2]
            self.setAccessibleDescription(self.tr("{0} × {1} pixels").format(width, height))
        self.update()

    def sizeHint(self) -> QSize:
        """Return the fixed size."""
        return QSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pixels as large as they fit."""
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, Qt.GlobalColor.black)
        if not self._image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._image.width() > _SIDE)
            painter.drawImage(area, self._image, QRectF(self._image.rect()))
