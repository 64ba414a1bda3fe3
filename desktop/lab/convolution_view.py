"""The view of a convolution: its input, the formula of the output size, its output, and one value's terms."""

from PySide6.QtCore import QPoint, QRect, Qt, Slot
from PySide6.QtWidgets import QLabel, QWidget

from desktop.lab.convolution import (
    ZERO_TOLERANCE,
    BlockOutput,
    format_weighted_sum,
    receptive_field,
    to_grey_levels,
)
from desktop.lab.input_picker import LabInput
from desktop.result.pixel_view import PixelView
from desktop.widgets import column, scale_font

# The terms of larger kernels are too long to read.
_MAX_SUM_SIZE = 3
_FORMULA = "O = (I − K + 2P) / S + 1"


class ConvolutionView(QWidget):
    """Shows input and output; selecting an output pixel highlights its receptive field.

    Attributes:
        output: The output; None while a placeholder is shown in its place.
        weighted_sum: The terms of the selected value. It is not part of the layout.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.input_pixels = PixelView(self.tr("Input"), self)
        self.output_pixels = PixelView(self.tr("Output"), self, selectable=True)
        self.formula = QLabel(self)
        self.values = QLabel(self)
        self.weighted_sum = QLabel(self)
        self._input: LabInput | None = None
        self.output: BlockOutput | None = None
        self._lay_out()
        self.output_pixels.pixel_selected.connect(self._show_value)

    def set_input(self, lab_input: LabInput) -> None:
        """Show the input."""
        self._input = lab_input
        self.input_pixels.set_pixels(lab_input.pixels)

    def set_output(self, output: BlockOutput) -> None:
        """Show the output for the current input."""
        self.output = output
        self.output_pixels.set_pixels(to_grey_levels(output.values))
        lines = [f"O = {window.formula()}" for window in output.windows]
        if len(lines) > 1:
            lines = [self.tr("Convolution: {0}").format(lines[0]), self.tr("Pooling: {0}").format(lines[1])]
        self.formula.setText("\n".join(lines))
        self._show_value(self.output_pixels.selected_pixel)

    def clear_input(self, placeholder: str) -> None:
        """Remove input and output, and show a text in place of the input."""
        self._input = None
        self.input_pixels.show_placeholder(placeholder)
        self.clear_output("")

    def clear_output(self, placeholder: str) -> None:
        """Remove the output, and show a text in its place."""
        self.output = None
        self.output_pixels.show_placeholder(placeholder)
        self.input_pixels.set_highlight(QRect())
        self.weighted_sum.clear()
        self.formula.setText(_FORMULA)
        self.values.clear()

    @Slot(object)
    def _show_value(self, pixel: QPoint | None) -> None:
        output = self.output
        if output is None:
            return
        if pixel is None:
            self.input_pixels.set_highlight(QRect())
            self.values.setText(self._range_text(output))
            self.weighted_sum.clear()
            return
        top, left, side = receptive_field(output.windows, pixel.y(), pixel.x())
        self.input_pixels.set_highlight(QRect(left, top, side, side))
        value = self._number(float(output.values[pixel.y(), pixel.x()]))
        text = self.tr("Row {0}, column {1}: {2}, from {3} × {3} pixels")
        self.values.setText(text.format(pixel.y() + 1, pixel.x() + 1, value, side))
        self.weighted_sum.setText(self._sum_text(output, top, left, value))

    def _range_text(self, output: BlockOutput) -> str:
        low, high = float(output.values.min()), float(output.values.max())
        text = (
            self.tr("{0} × {1} values from {2} to {3}; grey is 0")
            if low < -ZERO_TOLERANCE
            else self.tr("{0} × {1} values from {2} to {3}; black is 0")
        )
        height, width = output.values.shape
        return text.format(width, height, self._number(low), self._number(high))

    def _sum_text(self, output: BlockOutput, top: int, left: int, value: str) -> str:
        block = output.block
        if self._input is None or block.pooling is not None or len(block.kernel) > _MAX_SUM_SIZE:
            return ""
        lines = format_weighted_sum(self._input.pixels, block.kernel, top=top, left=left)
        last = self.tr("ReLU of the sum is {0}") if block.relu else self.tr("The sum is {0}")
        return "\n".join([*lines, last.format(value)])

    def _number(self, value: float) -> str:
        rounded = round(value, 1)
        # Adding 0 turns -0.0 into 0.0.
        return self.locale().toString(rounded + 0.0, "f", 0 if rounded.is_integer() else 1)

    def _lay_out(self) -> None:
        for label in (self.formula, self.values, self.weighted_sum):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.weighted_sum.setMinimumHeight(self.fontMetrics().lineSpacing() * (_MAX_SUM_SIZE + 1))
        scale_font(self.formula, 1, bold=True)
        parts = ((self.input_pixels, 1), self.formula, (self.output_pixels, 1), self.values)
        column(*parts, parent=self)
