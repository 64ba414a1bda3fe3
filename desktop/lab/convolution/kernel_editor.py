"""The choice of the filters of a layer: presets, filters of trained networks, or the user's own kernels."""

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QFormLayout, QLabel, QSpinBox, QWidget

from desktop.explain.backend import Activations, ExplanationBackend
from desktop.lab.convolution.filters import COLORS, MAX_FILTERS, Filter, default_filter
from desktop.lab.convolution.kernel_grid import KernelGrid
from desktop.lab.convolution.kernels import MAX_KERNEL_SIZE, InvalidWeight, Preset
from desktop.lab.convolution.learned_filter import LearnedFilterBox
from desktop.prediction.worker import Worker
from desktop.theme import warning_colors
from desktop.widgets import caption, column, create_combo, row
from desktop.window.messages import announce, error_message
from service.inference import Card, LecternError

_SIZES = range(1, MAX_KERNEL_SIZE + 1, 2)
_MAX_BIAS = 10_000.0


class KernelEditor(QWidget):
    """Chooses the number of filters, and the kernel and the bias of each.

    Attributes:
        grid: The cells of the kernel that is shown. It is not part of the layout.
        valid: Whether all cells hold numbers.

    Signals:
        changed: The filters changed, or a weight became invalid.
        filter_shown: Another filter or slice is shown.
    """

    changed = Signal()
    filter_shown = Signal()

    def __init__(self, backend: ExplanationBackend, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._backend = backend
        self.valid = True
        self._filters = [default_filter(0, 3)]
        self._depth = 1
        self.presets = create_combo(self.tr("Kernel"), self._preset_items(), self)
        sizes = [(f"{size} × {size}", size) for size in _SIZES]
        self.sizes = create_combo(self.tr("Size of the kernel"), sizes, self)
        self.learned_number = LearnedFilterBox(backend, self)
        self.count = self._spin_box(1, MAX_FILTERS, self.tr("Number of filters"))
        self.number = self._spin_box(1, 1, self.tr("Filter that is shown"))
        self.slices = create_combo(self.tr("Slice that is shown"), self._slice_items(), self)
        self.bias = QDoubleSpinBox(self)
        self.grid = KernelGrid(self)
        self.error = QLabel(self)
        self._model_worker = Worker("convolutional models", self)
        self._model_worker.result_ready.connect(self._add_models)
        self._lay_out()
        self._show_filter()
        self.presets.currentIndexChanged.connect(self._preset_changed)
        self.sizes.currentIndexChanged.connect(self._size_changed)
        self.learned_number.chosen.connect(self._use_learned)
        self.learned_number.failed.connect(self._show_load_error)
        self.count.valueChanged.connect(self._count_changed)
        self.number.valueChanged.connect(self._another_shown)
        self.slices.currentIndexChanged.connect(self._another_shown)
        self.bias.valueChanged.connect(self._bias_changed)
        self.grid.edited.connect(self._grid_edited)

    @property
    def filters(self) -> tuple[Filter, ...]:
        """All filters; their kernels have the same size."""
        return tuple(self._filters)

    @property
    def index(self) -> int:
        """Number of the filter that is shown, from 0."""
        return self.number.value() - 1

    @property
    def depth_slice(self) -> int | None:
        """The slice that is shown, 0 to 2; None for all of them."""
        return self.slices.currentData() if self._depth == COLORS else None

    def refresh_models(self) -> None:
        """Add the convolutional networks on this computer to the presets."""
        self._model_worker.call(self._backend.convolutional_models)

    def set_depth(self, depth: int) -> None:
        """Set the depth of the input, 1 or 3."""
        if depth != self._depth:
            self._depth = depth
            self.slices.setVisible(depth == COLORS)
            self._show_filter()

    def set_filters(self, count: int, size: int) -> None:
        """Start with the first filters of :func:`default_filter`."""
        self._filters = [default_filter(index, size) for index in range(count)]
        with QSignalBlocker(self.count), QSignalBlocker(self.number):
            self.count.setValue(count)
            self.number.setRange(1, count)
            self.number.setValue(1)
        self._show_filter()
        self.changed.emit()

    def set_weights(self, weights: Activations) -> None:
        """Start with filters of given weights, float32 (filters, depth, side, side)."""
        self.set_filters(len(weights), 1)
        self._filters = [Filter.of_weights(one) for one in weights]
        self._show_filter()
        self.changed.emit()

    def show_number(self, index: int) -> None:
        """Show a filter, given by its number from 0."""
        self.number.setValue(index + 1)

    @Slot(object)
    def _add_models(self, models: tuple[Card, ...]) -> None:
        for model in models:
            text = self.tr("Filter of {0}, version {1}").format(model.name, model.version)
            if self.presets.findText(text) < 0:
                self.presets.addItem(text, model)

    def _preset_changed(self) -> None:
        preset: Preset | Card | None = self.presets.currentData()
        self.learned_number.load(preset if isinstance(preset, Card) else None)
        if isinstance(preset, Preset):
            self._replace(Filter.of_preset(preset, self._filters[self.index].grey.size))

    def _replace(self, one: Filter) -> None:
        """Use another filter; the other ones take its size."""
        size = one.grey.size
        self._filters = [other if other.grey.size == size else other.resized(size) for other in self._filters]
        self._filters[self.index] = one
        self._show_filter(keep_choice=True)
        self.changed.emit()

    @Slot(object)
    def _show_load_error(self, error: LecternError) -> None:
        self._show_error(error_message(error))

    @Slot(object)
    def _use_learned(self, chosen: Activations) -> None:
        if chosen.shape[1] > MAX_KERNEL_SIZE or chosen.shape[1] != chosen.shape[2]:
            self._show_error(self.tr("The filters of this network are too large for the lab."))
            return
        self._replace(Filter.of_weights(chosen))

    def _size_changed(self) -> None:
        size = self.sizes.currentData()
        self._filters = [one.resized(size) for one in self._filters]
        self._show_filter()
        self.changed.emit()

    def _count_changed(self) -> None:
        count, size = self.count.value(), self._filters[0].grey.size
        more = [default_filter(index, size) for index in range(len(self._filters), count)]
        self._filters = [*self._filters[:count], *more]
        self.number.setRange(1, count)
        self._another_shown()
        self.changed.emit()

    def _bias_changed(self) -> None:
        one = self._filters[self.index]
        self._filters[self.index] = Filter(one.grey, one.colors, self.bias.value(), one.preset)
        self.changed.emit()

    def _another_shown(self) -> None:
        self._show_filter()
        self.filter_shown.emit()

    def _grid_edited(self) -> None:
        self._choose(None)
        try:
            kernel = self.grid.kernel()
        except InvalidWeight as error:
            self.valid = False
            text = self.tr("Row {0}, column {1}: “{2}” is not a number. Enter one such as -1, 0.5 or 1/9.")
            self._show_error(text.format(error.row, error.column, error.text))
        else:
            self.valid = True
            self._show_error("")
            self._filters[self.index] = self._filters[self.index].with_kernel(kernel, self.depth_slice)
        self.changed.emit()

    def _show_filter(self, *, keep_choice: bool = False) -> None:
        one = self._filters[self.index]
        depth = None if self._depth == 1 else self.depth_slice or 0
        kernel = one.kernel(depth)
        self.grid.set_kernel(kernel)
        with QSignalBlocker(self.sizes), QSignalBlocker(self.bias):
            # Filters of networks may have sizes that are not offered.
            if self.sizes.findData(kernel.size) < 0:
                self.sizes.addItem(f"{kernel.size} × {kernel.size}", kernel.size)
            self.sizes.setCurrentIndex(self.sizes.findData(kernel.size))
            self.bias.setValue(one.bias)
        if not keep_choice:
            self._choose(one.preset)
        self.number.setSuffix(self.tr(" of {0}").format(len(self._filters)))
        self.number.setEnabled(len(self._filters) > 1)
        self.valid = True
        self._show_error("")

    def _choose(self, preset: Preset | None) -> None:
        with QSignalBlocker(self.presets):
            self.presets.setCurrentIndex(self.presets.findData(preset))
        self.learned_number.hide()

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

    def _spin_box(self, minimum: int, maximum: int, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(minimum, maximum)
        box.setAccessibleName(name)
        return box

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

    def _slice_items(self) -> tuple[tuple[str, int | None], ...]:
        return (
            (self.tr("All slices"), None),
            (self.tr("Red"), 0),
            (self.tr("Green"), 1),
            (self.tr("Blue"), 2),
        )

    def _lay_out(self) -> None:
        for part in (self.learned_number, self.slices, self.error):
            part.hide()
        self.error.setWordWrap(True)
        self.bias.setRange(-_MAX_BIAS, _MAX_BIAS)
        self.bias.setAccessibleName(self.tr("Bias of the filter"))
        form = QFormLayout()
        form.setVerticalSpacing(6)
        rows = (
            (self.tr("&Kernel"), (self.presets, self.learned_number)),
            (self.tr("Si&ze"), (self.sizes, self.slices)),
            (self.tr("&Filters"), (self.count, self.number)),
            (self.tr("&Bias"), (self.bias,)),
        )
        for name, fields in rows:
            form.addRow(caption(name, fields[0]), row(*((field, 1) for field in fields)))
        column(form, self.error, parent=self)
