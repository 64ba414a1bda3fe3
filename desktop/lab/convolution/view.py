"""The view of a convolution: input, kernel and output in a row, all maps, and one value's terms."""

import numpy as np
from PySide6.QtCore import QPoint, QRect, Qt, Slot
from PySide6.QtWidgets import QLabel, QWidget

from desktop.lab.convolution.kernel_grid import KernelGrid
from desktop.lab.convolution.layer import BlockOutput
from desktop.lab.convolution.player import Player
from desktop.lab.convolution.sum_text import sum_lines
from desktop.lab.convolution.weighted_sum import WeightedSum, weighted_sum
from desktop.lab.convolution.window import Field, receptive_field
from desktop.lab.input_picker import LabInput
from desktop.lab.maps.flow import FlowRow
from desktop.lab.maps.levels import ZERO_TOLERANCE, is_signed, to_pixels
from desktop.lab.maps.sheet_view import SheetView
from desktop.lab.maps.window_view import WindowView
from desktop.widgets import column, scale_font

_FORMULA = "O = (I − K + 2P) / S + 1"
_PARAMETERS = "(D · Fw · Fh + 1) · M"
_GRID_MARGIN = 4
# Sides of the small maps in pixels, by the largest number of maps.
_TILES = ((12, 48), (48, 30), (10_000, 20))


class ConvolutionView(QWidget):
    """Shows input and output; selecting an output pixel frames its receptive field.

    Attributes:
        output: The output; None while a placeholder is shown in its place.
        map_index: Number of the output map that is shown, from 0.
    """

    def __init__(self, grid: KernelGrid, parent: QWidget | None = None) -> None:
        """Create the view.

        Args:
            grid: The kernel that is shown between input and output.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.grid = grid
        self.input_pixels = WindowView(self.tr("Input"), self)
        self.output_pixels = WindowView(self.tr("Output"), self, selectable=True)
        self.maps = SheetView(self.tr("Output maps"), self, tile=48)
        self.player = Player(self)
        self.formula = QLabel(self)
        self.parameters = QLabel(self)
        self.values = QLabel(self)
        self.weighted_sum = QLabel(self)
        self.map_index = 0
        self.depth_slice: int | None = None
        self._input: LabInput | None = None
        self.output: BlockOutput | None = None
        self._lay_out()
        self.output_pixels.pixel_selected.connect(self._show_value)
        self.output_pixels.pixel_pinned.connect(lambda pixel: self.player.move_to(pixel.y(), pixel.x()))
        self.player.moved.connect(self._show_playback)
        self.maps.resized.connect(self._show_maps)
        self.maps.map_selected.connect(lambda line, index: self.show_map(index))

    def set_input(self, lab_input: LabInput) -> None:
        """Set the input; :meth:`set_output` shows it with the padding of the output."""
        self._input = lab_input

    def set_output(self, output: BlockOutput) -> None:
        """Show the output for the current input."""
        self.output = output
        self.map_index = min(self.map_index, len(output.values) - 1)
        if self._input is not None:
            self.input_pixels.set_padded_pixels(self._input.shown, output.windows[0].padding)
        self._show_maps()
        self._show_sizes(output)
        self.show_map(self.map_index)

    def show_map(self, index: int) -> None:
        """Show one of the output maps large."""
        output = self.output
        if output is None or index >= len(output.values):
            return
        self.map_index = index
        self.output_pixels.set_pixels(to_pixels(output.values[index]))
        if self.maps.isVisible() and self.maps.selected != (0, index):
            self.maps.select(0, index)
        _, rows, columns = output.values.shape
        playable = output.block.pooling is None and output.block.pointwise is None
        layer = output.block.layer
        self.player.setVisible(playable)
        self.player.set_size(rows if playable else 0, columns if playable else 0, layer.weights[0].size)
        self._show_value(self.output_pixels.selected_pixel)

    def set_slice(self, depth_slice: int | None) -> None:
        """Show the terms of a slice of the depth, 0 to 2; of the first one if None."""
        self.depth_slice = depth_slice
        self._show_value(self.output_pixels.selected_pixel)

    def clear_input(self, placeholder: str) -> None:
        """Remove input and output, and show a text in place of the input."""
        self._input = None
        self.input_pixels.show_placeholder(placeholder)
        self.clear_output("")

    def clear_output(self, placeholder: str) -> None:
        """Remove the output, and show a text in its place."""
        self.output = None
        self.player.set_size(0, 0, 1)
        if self._input is not None:
            self.input_pixels.set_padded_pixels(self._input.shown, 0)
        self.output_pixels.pinned = None
        self.output_pixels.show_placeholder(placeholder)
        self.input_pixels.set_window(QRect())
        self.maps.hide()
        self.grid.set_current(None)
        self.formula.setText(_FORMULA)
        self.parameters.setText(_PARAMETERS)
        for label in (self.weighted_sum, self.values):
            label.clear()

    @Slot()
    def _show_playback(self) -> None:
        playback = self.player.playback
        self.output_pixels.set_filled(None if playback is None else playback.complete_values)
        if playback is None:
            self._show_value(self.output_pixels.pinned)
        elif not self.output_pixels.image.isNull():
            line, place = playback.position
            self._show_value(QPoint(place, line))

    @Slot(object)
    def _show_value(self, pixel: QPoint | None) -> None:
        output, playback = self.output, self.player.playback
        if output is None or self._input is None:
            return
        if playback is not None:
            pixel = QPoint(playback.position[1], playback.position[0])
        if pixel is None:
            self.input_pixels.set_window(QRect())
            self.values.setText(self._range_text(output))
            self.weighted_sum.clear()
            self.grid.set_current(None)
            return
        field = receptive_field(output.windows, pixel.y(), pixel.x())
        self._frame(output, field)
        value = self._number(float(output.values[self.map_index, pixel.y(), pixel.x()]))
        text = self.tr("Row {0}, column {1}: {2}, from {3} × {3} pixels")
        self.values.setText(text.format(pixel.y() + 1, pixel.x() + 1, value, field.side))
        self._show_sum(output, pixel)

    def _show_sum(self, output: BlockOutput, pixel: QPoint) -> None:
        block, playback = output.block, self.player.playback
        if block.pooling is not None or block.pointwise is not None or self._input is None:
            self.weighted_sum.clear()
            return
        terms = weighted_sum(
            self._input.planes, block.layer, index=self.map_index, row=pixel.y(), column=pixel.x()
        )
        added = None if playback is None else playback.added
        self._mark_cell(terms, added)
        lines = sum_lines(
            terms, relu=block.relu, depth=self.depth_slice or 0, added=added, number=self._number
        )
        self.weighted_sum.setText("\n".join(lines))

    def _mark_cell(self, terms: WeightedSum, added: int | None) -> None:
        side = terms.weights.shape[-1]
        if not added or side != len(self.grid.cells):
            self.grid.set_current(None)
        else:
            self.grid.set_current(divmod((added - 1) % (side * side), side))

    def _frame(self, output: BlockOutput, field: Field) -> None:
        window = output.windows[0]
        taps = []
        if window.dilation > 1 and len(output.windows) == 1:
            places = range(0, field.side, window.dilation)
            taps = [QPoint(field.left + x, field.top + y) for y in places for x in places]
        self.input_pixels.set_window(QRect(field.left, field.top, field.side, field.side), taps)

    def _show_maps(self) -> None:
        output = self.output
        if output is None:
            return
        several = len(output.values) > 1
        self.maps.setVisible(several)
        if several:
            self.maps.tile = next(tile for count, tile in _TILES if len(output.values) <= count)
            # Each map has its own scale, since presets differ much in their sums.
            largest = np.abs(output.values).max(axis=(1, 2), keepdims=True)
            self.maps.show_maps([to_pixels(output.values / np.maximum(largest, ZERO_TOLERANCE), scale=1.0)])

    def _show_sizes(self, output: BlockOutput) -> None:
        window = output.windows[0]
        lines = [f"O = {one.formula()}" for one in output.windows]
        if len(lines) > 1:
            lines = [self.tr("Convolution: {0}").format(lines[0]), self.tr("Pooling: {0}").format(lines[1])]
        if window.dilation > 1:
            lines.insert(0, self.tr("Dilated kernel: {0}").format(f"K = {window.extent_formula()}"))
        self.formula.setText("\n".join(lines))
        block = output.block
        layer = block.layer
        text = self.tr("Parameters: {0}").format(f"{_PARAMETERS} = {layer.parameter_formula()}")
        if block.pointwise_layer is not None:
            after = block.pointwise_layer
            total = f"{layer.parameters + after.parameters:,}".replace(",", " ")
            text += "\n" + self.tr("1 × 1: {0}; together {1}").format(after.parameter_formula(), total)
        self.parameters.setText(text)

    def _range_text(self, output: BlockOutput) -> str:
        values = output.values[self.map_index]
        low, high = float(values.min()), float(values.max())
        text = (
            self.tr("{0} × {1} values from {2} (blue) to {3} (orange); grey is 0")
            if is_signed(values)
            else self.tr("{0} × {1} values from {2} to {3}; black is 0")
        )
        height, width = values.shape
        return text.format(width, height, self._number(low), self._number(high))

    def _number(self, value: float) -> str:
        rounded = round(value, 1)
        # Adding 0 turns -0.0 into 0.0.
        return self.locale().toString(rounded + 0.0, "f", 0 if rounded.is_integer() else 1)

    def _lay_out(self) -> None:
        for label in (self.formula, self.parameters, self.values, self.weighted_sum):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
        self.weighted_sum.setMinimumHeight(self.fontMetrics().lineSpacing() * 4)
        self.weighted_sum.setAlignment(Qt.AlignmentFlag.AlignTop)
        scale_font(self.formula, 1, bold=True)
        self.maps.hide()
        kernel = QWidget(self)
        column(None, self.grid, None, parent=kernel).setContentsMargins(_GRID_MARGIN, 0, _GRID_MARGIN, 0)
        views = FlowRow(self.input_pixels, kernel, self.output_pixels, self)
        texts = (self.formula, self.parameters, self.values, self.weighted_sum)
        column((views, 1), self.maps, self.player, *texts, parent=self)
