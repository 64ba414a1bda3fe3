"""Shows a row of thumbnails."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QListWidget, QWidget


class ThumbnailList(QListWidget):
    """A row of thumbnails with captions that scrolls horizontally."""

    def __init__(self, parent: QWidget | None = None, *, size: int, margins: tuple[int, int]) -> None:
        """Create an empty list.

        Args:
            parent: Parent widget.
            size: Largest side of a thumbnail in pixels.
            margins: Space around each thumbnail in pixels, horizontal and vertical; includes its caption.
        """
        super().__init__(parent)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(QSize(size, size))
        self.setGridSize(QSize(size + margins[0], size + margins[1]))
        self.setFixedHeight(size + margins[1] + 18)
