"""The view of one map of a network: large, with its formula, its kernels and its inputs."""

import numpy as np
from PySide6.QtCore import QPoint, QRect, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QWidget

from desktop.lab.maps.levels import Pixels, to_pixels
from desktop.lab.maps.sheet_view import SheetView
from desktop.lab.maps.window_view import WindowView
from desktop.lab.network.activations import Activations
from desktop.lab.network.formulas import formula_text, input_word, sum_text
from desktop.lab.network.map_detail import MapDetail
from desktop.lab.network.stage import JOINING, StageKind, Values
from desktop.lab.network.titles import stage_names
from desktop.result.pixel_view import PixelView
from desktop.widgets import column, row, scale_font

_TILE, _HEADING_WIDTH = 30, 72
_INPUT_SIZE = 104


class MapDetailView(QWidget):
    """Shows a map; selecting one of its values frames what it depends on in the network's input.

    Attributes:
        detail: The map; None while a placeholder is shown.

    Signals:
        map_selected: An input was clicked, given by the numbers of its stage and its map.
    """

    map_selected = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.detail: MapDetail | None = None
        self._activations: Activations | None = None
        self.title = QLabel(self)
        self.map = WindowView(self.tr("Map"), self, selectable=True)
        self.picture = PixelView(self.tr("Input of the network"), self)
        self.formula = QLabel(self)
        self.value = QLabel(self)
        self.inputs = SheetView(self.tr("Inputs of the map"), self, tile=_TILE, left=_HEADING_WIDTH)
        self._lay_out()
        self.map.pixel_selected.connect(self._show_value)
        self.inputs.map_selected.connect(self._open_input)

    def show_detail(self, activations: Activations, detail: MapDetail) -> None:
        """Show a map."""
        other = self.detail is None or self.detail.key != detail.key
        self._activations, self.detail = activations, detail
        stage = activations.network.stages[detail.number]
        count = len(activations.maps(detail.number))
        name = stage_names(activations.network)[detail.number]
        if other:
            self.map.pin(None)
        self.title.setText(self.tr("{0}, map {1} of {2}").format(name, detail.index + 1, count))
        self.map.set_pixels(activations.pixels if detail.number == 0 else to_pixels(detail.values))
        self.picture.set_pixels(activations.pixels)
        self.formula.setText(formula_text(stage, detail, self._number))
        self._show_inputs(stage.kind, detail)
        self._show_value(self.map.selected_pixel)

    def show_placeholder(self, text: str) -> None:
        """Show a text in place of the map."""
        self.detail = self._activations = None
        self.map.show_placeholder(text)
        self.picture.show_placeholder("")
        self.inputs.show_sheet(None)
        for label in (self.title, self.formula, self.value):
            label.clear()

    def _show_inputs(self, kind: StageKind, detail: MapDetail) -> None:
        if not len(detail.inputs):
            self.inputs.show_sheet(None)
            return
        rows: list[Pixels] = [_scaled(detail.inputs)]
        headings = [input_word(kind)]
        if detail.kernels is not None and detail.parts is not None:
            rows += [_scaled(detail.kernels), _scaled(detail.parts)]
            dense = kind is StageKind.DENSE
            headings += [self.tr("Weights") if dense else self.tr("Kernels"), self.tr("Products")]
        fitting = self.inputs.layout_for(()).columns
        self.inputs.show_maps([row[:fitting] for row in rows], headings)

    @Slot(object)
    def _show_value(self, pixel: QPoint | None) -> None:
        detail, activations = self.detail, self._activations
        if detail is None or activations is None:
            return
        height, width = detail.values.shape
        if pixel is None and (height, width) == (1, 1):
            pixel = QPoint(0, 0)
        if pixel is None:
            low, high = float(detail.values.min()), float(detail.values.max())
            text = self.tr("{0} × {1} values from {2} to {3}")
            self.value.setText(text.format(width, height, self._number(low), self._number(high)))
            self.picture.set_highlight(QRect())
            return
        place = (pixel.y(), pixel.x())
        lines = [sum_text(detail, place, self._number)]
        field = activations.network.field(detail.number, *place)
        if field is None:
            self.picture.set_highlight(QRect())
        else:
            self.picture.set_highlight(QRect(field.left, field.top, field.side, field.side))
            text = self.tr("Row {0}, column {1}, from {2} × {2} pixels of the input")
            lines.append(text.format(pixel.y() + 1, pixel.x() + 1, field.side))
        self.value.setText("\n".join(lines))

    @Slot(int, int)
    def _open_input(self, line: int, place: int) -> None:
        detail, activations = self.detail, self._activations
        self.inputs.selected = None
        if detail is None or activations is None:
            return
        stage = activations.network.stages[detail.number]
        if stage.kind in JOINING:
            source = stage.sources[place]
            # A single factor of all maps has the number 0.
            self.map_selected.emit(source, min(detail.index, len(activations.maps(source)) - 1))
            return
        source, index = stage.sources[0], int(detail.numbers[place])
        if stage.kind not in (StageKind.CONVOLUTION, StageKind.DENSE, StageKind.SCORES):
            index = detail.index
        if len(activations.maps(source)) == activations.read_count(detail.number):
            self.map_selected.emit(source, index)

    def _number(self, value: float) -> str:
        text = self.locale().toString(float(value) + 0.0, "g", 3)
        return text.replace("-", "−")

    def _lay_out(self) -> None:
        scale_font(self.title, 1, bold=True)
        for label in (self.title, self.formula, self.value):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.value.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.value.setMinimumHeight(self.fontMetrics().lineSpacing() * 4)
        self.picture.setFixedSize(_INPUT_SIZE, _INPUT_SIZE)
        below = row(self.picture, (self.value, 1))
        column(self.title, (self.map, 1), below, self.formula, self.inputs, parent=self)


def _scaled(maps: Values) -> Pixels:
    """Return maps as pixels of a common scale."""
    return to_pixels(maps, scale=float(np.abs(maps).max(initial=0)))
