"""The choice of a kernel: a preset, a filter of a trained network, or the user's own."""

from functools import partial

import numpy as np
from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QLabel, QSpinBox, QWidget

from desktop.explain.backend import Activations, ExplanationBackend
from desktop.lab.kernel_grid import KernelGrid
from desktop.lab.kernels import MAX_KERNEL_SIZE, PRESETS, InvalidWeight, Kernel, Preset, resize_kernel
from desktop.prediction.worker import Worker
from desktop.theme import warning_colors
from desktop.widgets import column, create_combo, row
from desktop.window.messages import announce, error_message
from service.inference import Card, LecternError

_SIZES = (1, 3, 5, 7)


class KernelEditor(QWidget):
    """Offers kernels to start from, and edits their weights.

    Attributes:
        kernel: float32 (side, side); None while a weight is invalid.

    Signals:
        changed: The kernel changed, or a weight became invalid.
    """

    changed = Signal()

    def __init__(self, backend: ExplanationBackend, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._backend = backend
        self.kernel: Kernel | None = None
        self._filters: Activations | None = None
        self.presets = create_combo(self.tr("Kernel"), self._preset_items(), self)
        sizes = [(f"{size} × {size}", size) for size in _SIZES]
        self.sizes = create_combo(self.tr("Size of the kernel"), sizes, self)
        self.filter_number = QSpinBox(self)
        self.filter_number.setAccessibleName(self.tr("Number of the filter"))
        self.grid = KernelGrid(self)
        self.error = QLabel(self)
        self._model_worker = Worker("convolutional models", self)
        self._model_worker.result_ready.connect(self._add_models)
        self._filter_worker = Worker("filters", self)
        self._filter_worker.result_ready.connect(self._set_filters)
        self._filter_worker.failed.connect(self._show_load_error)
        self._lay_out()
        self._set_kernel(PRESETS[Preset.SOBEL_X])
        self.presets.setCurrentIndex(self.presets.findData(Preset.SOBEL_X))
        self.presets.currentIndexChanged.connect(self._preset_changed)
        self.sizes.currentIndexChanged.connect(self._size_changed)
        self.filter_number.valueChanged.connect(self._show_filter)
        self.grid.edited.connect(self._grid_edited)

    def refresh_models(self) -> None:
        """Add the convolutional networks on this computer to the presets."""
        self._model_worker.call(self._backend.convolutional_models)

    @Slot(object)
    def _add_models(self, models: tuple[Card, ...]) -> None:
        for model in models:
            text = self.tr("Filter of {0}, version {1}").format(model.name, model.version)
            if self.presets.findText(text) < 0:
                self.presets.addItem(text, model)

    def _preset_changed(self) -> None:
        preset: Preset | Card | None = self.presets.currentData()
        self._filter_worker.cancel()
        self.filter_number.setVisible(isinstance(preset, Card))
        if isinstance(preset, Preset):
            self._set_kernel(PRESETS[preset])
            self.changed.emit()
        elif isinstance(preset, Card):
            self._filters = None
            self.filter_number.setEnabled(False)
            self._filter_worker.call(partial(self._backend.first_filters, preset))

    @Slot(object)
    def _set_filters(self, filters: Activations) -> None:
        self._filters = filters
        with QSignalBlocker(self.filter_number):
            self.filter_number.setRange(1, len(filters))
            self.filter_number.setPrefix(self.tr("No. "))
            self.filter_number.setSuffix(self.tr(" of {0}").format(len(filters)))
        self.filter_number.setEnabled(True)
        self._show_filter()

    @Slot(object)
    def _show_load_error(self, error: LecternError) -> None:
        self._show_error(error_message(error))

    def _show_filter(self) -> None:
        if self._filters is None:
            return
        chosen = self._filters[self.filter_number.value() - 1]
        if max(chosen.shape) > MAX_KERNEL_SIZE or chosen.shape[0] != chosen.shape[1]:
            self._show_error(self.tr("The filters of this network are too large for the lab."))
            return
        self._set_kernel(chosen)
        self.changed.emit()

    def _size_changed(self) -> None:
        kernel = np.zeros((1, 1), dtype=np.float32) if self.kernel is None else self.kernel
        self._set_kernel(resize_kernel(kernel, self.sizes.currentData()))
        self._grid_edited()

    def _grid_edited(self) -> None:
        with QSignalBlocker(self.presets):
            self.presets.setCurrentIndex(self.presets.findData(None))
        self.filter_number.hide()
        try:
            self.kernel = self.grid.kernel()
        except InvalidWeight as error:
            self.kernel = None
            text = self.tr("Row {0}, column {1}: “{2}” is not a number. Enter one such as -1, 0.5 or 1/9.")
            self._show_error(text.format(error.row, error.column, error.text))
        else:
            self._show_error("")
        self.changed.emit()

    def _set_kernel(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.grid.set_kernel(kernel)
        size = len(kernel)
        with QSignalBlocker(self.sizes):
            # Filters of networks may have sizes that are not offered.
            if self.sizes.findData(size) < 0:
                self.sizes.addItem(f"{size} × {size}", size)
            self.sizes.setCurrentIndex(self.sizes.findData(size))
        self._show_error("")

    def _show_error(self, text: str) -> None:
        """Show a message, or hide it if it is empty."""
        background, foreground = warning_colors(self.palette())
        self.error.setStyleSheet(
            f"background: {background.name()}; color: {foreground.name()}; padding: 6px; border-radius: 4px"
        )
        self.error.setText(text)
        self.error.setVisible(bool(text))
        if text:
            announce(self, text)

    def _preset_items(self) -> tuple[tuple[str, Preset | None], ...]:
        return (
            (self.tr("Identity"), Preset.IDENTITY),
            (self.tr("Box blur"), Preset.BOX_BLUR),
            (self.tr("Gaussian blur"), Preset.GAUSSIAN_BLUR),
            (self.tr("Sharpen"), Preset.SHARPEN),
            (self.tr("Sobel x (vertical edges)"), Preset.SOBEL_X),
            (self.tr("Sobel y (horizontal edges)"), Preset.SOBEL_Y),
            (self.tr("Laplacian"), Preset.LAPLACIAN),
            (self.tr("Emboss"), Preset.EMBOSS),
            (self.tr("Custom"), None),
        )

    def _lay_out(self) -> None:
        self.filter_number.hide()
        self.error.setWordWrap(True)
        self.error.hide()
        sizes = row(self.sizes, self.filter_number, None, spacing=None)
        column(self.presets, sizes, row(None, self.grid, None), self.error, parent=self)
