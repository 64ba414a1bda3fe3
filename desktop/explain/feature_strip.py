"""Owns the strip of a layer's feature maps, one small picture a channel."""

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QToolTip, QWidget

from desktop.explain.explanations import FeatureMaps
from desktop.pictures.images import qimage_of_pixels

_SIDE, _GAP = 60, 4
_PITCH = _SIDE + _GAP
_LINES = 2
_STEPS = {
    Qt.Key.Key_Left: -_LINES,
    Qt.Key.Key_Right: _LINES,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
}


class _Strip(QWidget):
    """The small pictures, column by column."""

    moved = Signal(QRect)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.maps: FeatureMaps | None = None
        self.current = 0
        # One picture with all channels below each other, made once for many paintings.
        self.sheet = QImage()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Feature maps"))

    def show_maps(self, maps: FeatureMaps | None) -> None:
        self.maps = maps
        self.sheet = QImage()
        if maps is not None:
            count, height, width = maps.tiles.shape
            self.sheet = qimage_of_pixels(maps.tiles.reshape(count * height, width))
            self.current = min(self.current, count - 1)
        self.resize(self.sizeHint())
        self._describe()
        self.update()

    def count(self) -> int:
        return 0 if self.maps is None else len(self.maps.tiles)

    def sizeHint(self) -> QSize:
        columns = -(-self.count() // _LINES)
        return QSize(max(columns * _PITCH - _GAP, 1), _LINES * _PITCH - _GAP)

    def place(self, channel: int) -> QRect:
        column, line = divmod(channel, _LINES)
        return QRect(column * _PITCH, line * _PITCH, _SIDE, _SIDE)

    def words(self, channel: int) -> str:
        if self.maps is None:
            return ""
        strength = self.locale().toString(float(self.maps.peaks[channel]), "f", 2)
        return self.tr("Map {0} of {1}, strongest response {2}").format(channel + 1, self.count(), strength)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        maps = self.maps
        if maps is None:
            return
        _, height, width = maps.tiles.shape
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, width > _SIDE)
        for channel in range(self.count()):
            place = self.place(channel)
            if place.intersects(event.rect()):
                painter.drawImage(QRectF(place), self.sheet, QRectF(0, channel * height, width, height))
        if self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 3))
            painter.drawRect(self.place(self.current).adjusted(1, 1, -2, -2))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            channel = self._channel(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if channel is None else self.words(channel), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        channel = self._channel(event.position())
        if channel is not None:
            self._move(channel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None and 0 <= self.current + step < self.count():
            self._move(self.current + step)
        elif event.key() == Qt.Key.Key_Home:
            self._move(0)
        elif event.key() == Qt.Key.Key_End:
            self._move(max(self.count() - 1, 0))
        elif step is None:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.moved.emit(self.place(self.current))

    def _channel(self, position: QPointF) -> int | None:
        column, line = int(position.x()) // _PITCH, int(position.y()) // _PITCH
        channel = column * _LINES + line
        inside = line < _LINES and channel < self.count()
        return channel if inside and self.place(channel).contains(position.toPoint()) else None

    def _move(self, channel: int) -> None:
        self.current = channel
        self._describe()
        self.moved.emit(self.place(channel))
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(self.words(self.current))


class FeatureStrip(QScrollArea):
    """Shows a layer's maps in two lines that scroll sideways; arrow keys go from one to the next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strip = _Strip(self)
        self.setWidget(self.strip)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_LINES * _PITCH - _GAP + self.horizontalScrollBar().sizeHint().height() + 4)
        self.strip.moved.connect(self._follow)

    @property
    def maps(self) -> FeatureMaps | None:
        """What is shown."""
        return self.strip.maps

    def show_maps(self, maps: FeatureMaps | None) -> None:
        """Show a layer's maps, or none."""
        self.strip.show_maps(maps)

    def _follow(self, place: QRect) -> None:
        self.ensureVisible(place.center().x(), place.center().y(), _PITCH, 0)
