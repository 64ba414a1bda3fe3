"""The page of convolutions in one dimension and in three."""

from typing import cast

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QGroupBox, QLabel, QLineEdit, QWidget

from desktop.lab.convolution.window import SlidingWindow, WindowTooLarge
from desktop.lab.maps.levels import to_pixels
from desktop.lab.maps.plot import Mark, Plot, Series
from desktop.lab.maps.sheet_view import SheetView
from desktop.lab.stack.dimensions import (
    ClipKernel,
    CurveKernel,
    Values,
    clip_kernel,
    convolve_curve,
    convolve_slices,
    curve_kernel,
    moving_clip,
    sound_curve,
    word_curve,
)
from desktop.lab.stack.transposed import shrink
from desktop.lab.topic import Topic
from desktop.widgets import caption, column, create_combo, row
from desktop.window.messages import error_message
from service.inference import LecternError

_WORD, _SOUND = range(2)
_CURVE_SIZES = (3, 5, 7, 9)
_SLICES, _STEP, _SIDE = 7, 2, 64
_TILE, _HEADING_WIDTH = 52, 130
_LONGEST_WORD = 60
_TERMS = 9


class DimensionsPage(Topic):
    """Convolves a word or a sound along its length, and moving slices along time too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("1-D and 3-D")
        curves = ((self.tr("Word"), _WORD), (self.tr("Sound"), _SOUND))
        self.curves = create_combo(self.tr("Curve"), curves, self)
        self.word = QLineEdit("convolution", self)
        kernels = (
            (self.tr("Mean"), CurveKernel.MEAN),
            (self.tr("Gauss"), CurveKernel.GAUSSIAN),
            (self.tr("Slope"), CurveKernel.DIFFERENCE),
            (self.tr("Peaks"), CurveKernel.PEAK),
        )
        self.curve_kernels = create_combo(self.tr("Kernel of the curve"), kernels, self)
        sizes = [(str(size), size) for size in _CURVE_SIZES]
        self.sizes = create_combo(self.tr("Size of the kernel"), sizes, self)
        self.input_plot = Plot(self.tr("Input curve"), self)
        self.output_plot = Plot(self.tr("Output curve"), self, selectable=True)
        self.curve_text = QLabel(self)
        clips = (
            (self.tr("Difference over time"), ClipKernel.TIME_DIFFERENCE),
            (self.tr("Mean over time"), ClipKernel.TIME_MEAN),
            (self.tr("Edges in each slice"), ClipKernel.EDGES),
            (self.tr("Blur in all directions"), ClipKernel.BLUR),
        )
        self.clip_kernels = create_combo(self.tr("Kernel of the slices"), clips, self)
        self.slices = SheetView(self.tr("Slices"), self, tile=_TILE, left=_HEADING_WIDTH)
        self.slice_text = QLabel(self)
        self._curve = self._output = np.empty(0, dtype=np.float32)
        self._lay_out()
        self.word.setMaxLength(_LONGEST_WORD)
        self.word.textChanged.connect(self._show_curve)
        for box in (self.curves, self.curve_kernels, self.sizes):
            box.currentIndexChanged.connect(self._show_curve)
        self.output_plot.place_selected.connect(self._show_place)
        self.clip_kernels.currentIndexChanged.connect(self.show_input)
        self._show_curve()

    @property
    def kernel(self) -> Values:
        """The kernel of the curve."""
        return curve_kernel(self.curve_kernels.currentData(), self.sizes.currentData())

    @Slot()
    def show_input(self) -> None:
        """Compute the slices of the new input."""
        if self.lab_input is None:
            self.cancel()
            self._clear_slices(self.placeholder)
            return
        pixels, name = self.lab_input.pixels, self.clip_kernels.currentData()

        def work() -> tuple[Values, Values]:
            clip = moving_clip(shrink(pixels.astype("float32"), _SIDE), count=_SLICES, step=_STEP)
            return clip, convolve_slices(clip, clip_kernel(name))

        self.compute(work)

    def show_result(self, result: object) -> None:
        """Show the slices."""
        clip, output = cast(tuple[Values, Values], result)
        self.slices.show_maps((to_pixels(clip), to_pixels(output)), (self.tr("Input"), self.tr("Output")))
        text = self.tr("Input {0}, kernel 3 × 3 × 3 with {1} parameters (27 weights and a bias), output {2}.")
        sizes = (" × ".join(map(str, values.shape)) for values in (clip, output))
        first, second = sizes
        self.slice_text.setText(text.format(first, 28, second))

    def show_error(self, error: LecternError) -> None:
        """Show why there are no slices."""
        self._clear_slices(error_message(error))

    def _clear_slices(self, text: str) -> None:
        self.slices.show_sheet(None)
        self.slice_text.setText(text)

    @Slot()
    def _show_curve(self) -> None:
        self.word.setVisible(self.curves.currentData() == _WORD)
        word = self.curves.currentData() == _WORD
        self._curve = word_curve(self.word.text()) if word else sound_curve()
        kernel = self.kernel
        try:
            self._output = convolve_curve(self._curve, kernel)
        except WindowTooLarge:
            self._output = np.empty(0, dtype=np.float32)
            self.input_plot.show_series([self._series(self._curve, 0.0)])
            self.output_plot.show_series(())
            self.input_plot.set_span(None)
            self.curve_text.setText(self.tr("The kernel is longer than the curve."))
            return
        ends = (-0.5, len(self._curve) - 0.5)
        # Each output stands below the middle of its window.
        middle = (len(kernel) - 1) / 2
        self.input_plot.show_series([self._series(self._curve, 0.0)], x_range=ends)
        self.output_plot.show_series([self._series(self._output, middle)], x_range=ends)
        self._show_place(None)

    def _series(self, values: Values, first: float) -> Series:
        x = (np.arange(len(values)) + first).astype(np.float32)
        return Series(x, values, Mark.BARS if self.curves.currentData() == _WORD else Mark.LINE, 4)

    @Slot(object)
    def _show_place(self, place: float | None) -> None:
        kernel = self.kernel
        size = SlidingWindow(input_size=len(self._curve), size=len(kernel))
        lines = [f"O = {size.formula()}", self.tr("Kernel: {0}").format(self._numbers(kernel))]
        index = None if place is None else round(place - (len(kernel) - 1) / 2)
        if index is None or not 0 <= index < len(self._output):
            self.input_plot.set_span(None)
        else:
            self.input_plot.set_span((index - 0.5, index + len(kernel) - 0.5))
            pairs = zip(kernel, self._curve[index : index + len(kernel)], strict=True)
            terms = [f"{self._number(weight)} · {self._number(value)}" for weight, value in pairs]
            lines.append(f"{' + '.join(terms[:_TERMS])} = {self._number(self._output[index])}")
        self.curve_text.setText("\n".join(lines))

    def _numbers(self, values: Values) -> str:
        return "  ".join(self._number(value) for value in values)

    def _number(self, value: float | np.floating) -> str:
        return self.locale().toString(float(value) + 0.0, "g", 3).replace("-", "−")

    def _lay_out(self) -> None:
        self.word.setAccessibleName(self.tr("Word: a is 1, z is 26"))
        for label in (self.curve_text, self.slice_text):
            label.setWordWrap(True)
        self.curve_text.setMinimumHeight(self.fontMetrics().lineSpacing() * 3)
        curve = QGroupBox(self.tr("One dimension: a curve"), self)
        column(
            row(
                self.curves,
                self.word,
                caption(self.tr("&Kernel"), self.curve_kernels),
                self.curve_kernels,
                self.sizes,
                None,
            ),
            (row((self.input_plot, 1), (self.output_plot, 1)), 1),
            self.curve_text,
            parent=curve,
            margin=8,
        )
        clip = QGroupBox(self.tr("Three dimensions: slices that follow one another in time"), self)
        column(row(self.clip_kernels, None), self.slices, self.slice_text, None, parent=clip, margin=8)
        column((curve, 1), clip, parent=self, margin=8)
