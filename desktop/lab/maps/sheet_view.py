"""The view of a sheet of maps, one of which can be selected."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.lab.maps.levels import Pixels
from desktop.lab.maps.sheet import SheetLayout, compose_sheet
from desktop.zoom import zoomed

_KEY_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
# Between a heading to the left and the maps.
_SPACING = 8
# Grey level from which a text on a map is black.
_BRIGHT = 140
_LINE_KEYS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


@dataclass(frozen=True, eq=False)
class Sheet:
    """A composed sheet.

    Attributes:
        layout: The places of the maps.
        pixels: The image of :func:`compose_sheet`.
        headings: Text above or to the left of each row, perhaps of two lines; as many as rows, or none.
        captions: Texts on the maps of the last row; as many as it has maps, or none.
    """

    layout: SheetLayout
    pixels: Pixels
    headings: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()


class SheetView(QWidget):
    """Shows a sheet; mouse and arrow keys select a map.

    Attributes:
        sheet: The sheet; None while there is none.
        selected: Row and index of the selected map; None for none.
        tile: Side of a map in pixels at normal zoom.

    Signals:
        map_selected: A map was chosen, given by row and index.
        resized: The number of maps that fit into a line changed.
    """

    map_selected = Signal(int, int)
    resized = Signal()

    def __init__(
        self,
        name: str,
        parent: QWidget | None = None,
        *,
        tile: int = 28,
        headings: bool = False,
        left: int = 0,
    ) -> None:
        """Create an empty view.

        Args:
            name: Name for screen readers.
            parent: Parent widget.
            tile: Side of a map in pixels at normal zoom.
            headings: Whether the rows have headings above.
            left: Width of the headings to the left of the rows, in pixels at normal zoom.
        """
        super().__init__(parent)
        self.sheet: Sheet | None = None
        self.selected: tuple[int, int] | None = None
        self.tile = tile
        self._has_headings = headings
        self._left = left
        self._image = QImage()
        self._columns = 0
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def layout_for(self, counts: Sequence[int]) -> SheetLayout:
        """Return the layout of rows with these numbers of maps at the current width."""
        return SheetLayout(
            tuple(counts),
            self._fitting_columns(),
            zoomed(self.tile),
            heading=self._heading_height(),
            left=zoomed(self._left),
        )

    def show_maps(self, rows: Sequence[Pixels], headings: Sequence[str] = ()) -> None:
        """Compose and show maps, each uint8 (maps, height, width) or (maps, height, width, 3)."""
        layout = self.layout_for([len(row) for row in rows])
        self.show_sheet(Sheet(layout, compose_sheet(rows, layout), tuple(headings)))

    def show_sheet(self, sheet: Sheet | None) -> None:
        """Show a sheet; the selection stays if the sheet has the selected map."""
        before = None if self.sheet is None else self.sheet.layout
        self.sheet = sheet
        self._image = QImage()
        if sheet is not None:
            height, width, _ = sheet.pixels.shape
            # The image uses the memory of the array, which self.sheet keeps.
            self._image = QImage(sheet.pixels.data, width, height, QImage.Format.Format_ARGB32_Premultiplied)
        if self.selected is not None and not self._has(*self.selected):
            self.selected = None
        if sheet is None or sheet.layout != before:
            self.updateGeometry()
            self.setMinimumHeight(0 if sheet is None else sheet.layout.height)
        self.update()

    def select(self, row: int, index: int) -> None:
        """Select a map, if the sheet has it."""
        if self._has(row, index):
            self.selected = (row, index)
            self.update()
            self.map_selected.emit(row, index)

    def sizeHint(self) -> QSize:
        """Return the size of the sheet."""
        return QSize(320, 0 if self.sheet is None else self.sheet.layout.height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell when another number of maps fits into a line."""
        if self._fitting_columns() != self._columns:
            self._columns = self._fitting_columns()
            self.resized.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Let the maps grow with the type."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._columns = self._fitting_columns()
            self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the map below the mouse."""
        found = (
            None if self.sheet is None else self.sheet.layout.at(event.position().x(), event.position().y())
        )
        if found is not None:
            self.select(*found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the selection with the arrow keys; the first one selects the first map."""
        key = Qt.Key(event.key())
        if self.sheet is None or key not in (*_KEY_STEPS, *_LINE_KEYS):
            super().keyPressEvent(event)
        elif self.selected is None:
            self.select(0, 0)
        else:
            self._move(_KEY_STEPS.get(key, 0), _LINE_KEYS.get(key, 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the sheet, the headings, and a frame around the selected map."""
        sheet = self.sheet
        if sheet is None:
            return
        painter = QPainter(self)
        painter.drawImage(event.rect(), self._image, event.rect())
        for row, text in enumerate(sheet.headings):
            area = self._heading_area(sheet.layout, row)
            if area.toRect().intersects(event.rect()):
                shown = self._shortened(text, int(area.width()))
                painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        for index, text in enumerate(sheet.captions):
            self._paint_caption(painter, sheet, index, text)
        if self.selected is not None:
            left, top = sheet.layout.place(*self.selected)
            painter.setPen(QPen(self.palette().highlight().color(), 2))
            painter.drawRect(QRect(left, top, sheet.layout.tile, sheet.layout.tile).adjusted(0, 0, -1, -1))

    def _shortened(self, text: str, width: int) -> str:
        """Return a heading whose lines are not wider than this; they keep their ends, which are numbers."""
        middle = Qt.TextElideMode.ElideMiddle
        return "\n".join(self.fontMetrics().elidedText(line, middle, width) for line in text.splitlines())

    def _paint_caption(self, painter: QPainter, sheet: Sheet, index: int, text: str) -> None:
        layout = sheet.layout
        left, top = layout.place(len(layout.counts) - 1, index)
        area = QRect(left, top, layout.tile, layout.tile).adjusted(1, 1, -1, -1)
        bright = int(sheet.pixels[top, left, :3].max()) > _BRIGHT
        painter.setPen(Qt.GlobalColor.black if bright else Qt.GlobalColor.white)
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, shown)

    def _heading_area(self, layout: SheetLayout, row: int) -> QRectF:
        if self._left:
            return QRectF(0, layout.top(row), layout.left - _SPACING, layout.tile)
        return QRectF(0, layout.top(row), self.width(), layout.heading)

    def _move(self, across: int, down: int) -> None:
        assert self.sheet is not None
        assert self.selected is not None
        layout = self.sheet.layout
        row, index = self.selected
        target = index + across + down * layout.columns
        if self._has(row, target):
            self.select(row, target)
        elif down:
            row += down
            if 0 <= row < len(layout.counts):
                column = index % layout.columns
                first = 0 if down > 0 else (layout.lines(row) - 1) * layout.columns
                self.select(row, min(first + column, layout.counts[row] - 1))

    def _has(self, row: int, index: int) -> bool:
        if self.sheet is None:
            return False
        counts = self.sheet.layout.counts
        return 0 <= row < len(counts) and 0 <= index < counts[row]

    def _fitting_columns(self) -> int:
        return max((self.width() - zoomed(self._left)) // (zoomed(self.tile) + 2), 1)

    def _heading_height(self) -> int:
        return self.fontMetrics().height() + 6 if self._has_headings else 0
