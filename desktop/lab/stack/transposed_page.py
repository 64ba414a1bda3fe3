"""The page of the transposed convolution."""

from typing import cast

from PySide6.QtCore import QPoint, QRect, Slot
from PySide6.QtWidgets import QLabel, QSpinBox, QWidget

from desktop.lab.convolution.kernel_grid import KernelGrid
from desktop.lab.convolution.kernels import InvalidWeight, Preset, preset_kernel
from desktop.lab.convolution.layer import Values
from desktop.lab.maps.flow import FlowRow
from desktop.lab.maps.levels import to_pixels
from desktop.lab.maps.window_view import WindowView
from desktop.lab.stack.transposed import Stamp, convolve_transposed, shrink
from desktop.lab.topic import Topic
from desktop.widgets import caption, column, create_combo, row, scale_font
from desktop.window.messages import error_message
from service.inference import LecternError

_SIZE = 3
_SIDES = (4, 6, 8, 12)
_MAX_STRIDE, _MAX_PADDING = 4, 2
# Products that are written out.
_TERMS = 6


class TransposedPage(Topic):
    """Shows how each input value adds the kernel, multiplied with it, to the output."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Transposed")
        presets = (
            (self.tr("Box blur"), Preset.BOX_BLUR),
            (self.tr("Gaussian blur"), Preset.GAUSSIAN_BLUR),
            (self.tr("Sobel x"), Preset.SOBEL_X),
            (self.tr("Identity"), Preset.IDENTITY),
        )
        self.presets = create_combo(self.tr("Kernel of the transposed convolution"), presets, self)
        sides = [(f"{side} × {side}", side) for side in _SIDES]
        self.sides = create_combo(self.tr("Size of the input"), sides, self)
        self.stride = self._spin_box(1, _MAX_STRIDE, 2, self.tr("Stride"))
        self.padding = self._spin_box(0, _MAX_PADDING, 0, self.tr("Values cut off at each edge"))
        self.grid = KernelGrid(self)
        self.input_pixels = WindowView(self.tr("Input of the transposed convolution"), self, selectable=True)
        self.output_pixels = WindowView(
            self.tr("Output of the transposed convolution"), self, selectable=True
        )
        self.formula = QLabel(self)
        self.text = QLabel(self)
        self.note = QLabel(
            self.tr(
                "Each input value is multiplied with the whole kernel, and overlapping kernels add up. "
                "The backward pass of a convolution does the same: it spreads the gradient of each output "
                "over the inputs, with the same weights."
            ),
            self,
        )
        self.image: Values | None = None
        self.output: Values | None = None
        self.sizes = Stamp(input_size=1, size=_SIZE)
        self._lay_out()
        self.presets.currentIndexChanged.connect(self._use_preset)
        self.grid.edited.connect(self.show_input)
        self.sides.currentIndexChanged.connect(self.show_input)
        self.input_pixels.pixel_selected.connect(self._show_input_value)
        self.output_pixels.pixel_selected.connect(self._show_output_value)
        self._use_preset()

    @Slot()
    def show_input(self) -> None:
        """Compute the output of the new input."""
        try:
            kernel = self.grid.kernel().weights
        except InvalidWeight as error:
            self.cancel()
            self._clear(error_message(error))
            return
        if self.lab_input is None:
            self.cancel()
            self._clear(self.placeholder)
            return
        pixels, side = self.lab_input.pixels, self.sides.currentData()
        stride, padding = self.stride.value(), self.padding.value()

        def work() -> tuple[Values, Values, Stamp]:
            image = shrink(pixels.astype("float32"), side).round()
            sizes = Stamp(input_size=side, size=_SIZE, stride=stride, padding=padding)
            return image, convolve_transposed(image, kernel, stride=stride, padding=padding), sizes

        self.compute(work)

    def show_result(self, result: object) -> None:
        """Show input and output."""
        self.image, self.output, self.sizes = cast(tuple[Values, Values, Stamp], result)
        self.input_pixels.set_pixels(to_pixels(self.image))
        self.output_pixels.set_pixels(to_pixels(self.output))
        self.formula.setText(f"O = (I − 1) · S + K − 2P = {self.sizes.formula()}")
        self._show_output_value(self.output_pixels.selected_pixel)

    def show_error(self, error: LecternError) -> None:
        """Show why there is no output."""
        self._clear(error_message(error))

    def _clear(self, text: str) -> None:
        self.image = self.output = None
        self.input_pixels.show_placeholder(text)
        self.output_pixels.show_placeholder("")
        self.formula.clear()
        self.text.clear()

    @Slot()
    def _use_preset(self) -> None:
        self.grid.set_kernel(preset_kernel(self.presets.currentData(), _SIZE))
        self.show_input()

    @Slot(object)
    def _show_input_value(self, pixel: QPoint | None) -> None:
        if pixel is None or self.image is None:
            self.output_pixels.set_window(QRect())
            return
        field = self.sizes.output_field(pixel.y(), pixel.x())
        self.output_pixels.set_window(QRect(field.left, field.top, field.side, field.side))
        text = self.tr("The input value {0} adds {0} · kernel to {1} × {1} outputs.")
        self.text.setText(text.format(self._number(float(self.image[pixel.y(), pixel.x()])), field.side))

    @Slot(object)
    def _show_output_value(self, pixel: QPoint | None) -> None:
        if pixel is None or self.image is None or self.output is None:
            self.input_pixels.set_window(QRect())
            self.text.setText(self.tr("Point at a value of the input or of the output."))
            return
        found = self.sizes.contributions(pixel.y(), pixel.x())
        value = self._number(float(self.output[pixel.y(), pixel.x()]))
        if not found:
            self.input_pixels.set_window(QRect())
            self.text.setText(self.tr("No kernel reaches this output: {0}").format(value))
            return
        rows, columns = [one[0] for one in found], [one[1] for one in found]
        corner = QPoint(min(columns), min(rows))
        self.input_pixels.set_window(QRect(corner, QPoint(max(columns), max(rows))))
        kernel = self.grid.kernel().weights
        terms = [
            f"{self._number(float(self.image[y, x]))} · {self._number(float(kernel[down, across]))}"
            for y, x, down, across in found[:_TERMS]
        ]
        rest = " + …" if len(found) > _TERMS else ""
        self.text.setText(f"{' + '.join(terms)}{rest} = {value}")

    def _number(self, value: float) -> str:
        return self.locale().toString(value + 0.0, "g", 4).replace("-", "−")

    def _spin_box(self, minimum: int, maximum: int, value: int, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(minimum, maximum)
        box.setValue(value)
        box.setAccessibleName(name)
        box.valueChanged.connect(self.show_input)
        return box

    def _lay_out(self) -> None:
        scale_font(self.formula, 1, bold=True)
        for label in (self.formula, self.text, self.note):
            label.setWordWrap(True)
        self.text.setMinimumHeight(self.fontMetrics().lineSpacing() * 3)
        kernel = QWidget(self)
        column(None, self.grid, None, parent=kernel)
        flow = FlowRow(self.input_pixels, kernel, self.output_pixels, self)
        choice = row(
            self.sides,
            self.presets,
            caption(self.tr("&Stride"), self.stride),
            self.stride,
            caption(self.tr("Pa&dding"), self.padding),
            self.padding,
            None,
        )
        column(choice, (flow, 1), self.formula, self.text, self.note, parent=self, margin=8)
