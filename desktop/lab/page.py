"""The page of the convolution lab."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QWidget

from desktop.explain.backend import ExplanationBackend
from desktop.lab.block_form import BlockForm
from desktop.lab.convolution import BlockOutput, WindowTooLarge, apply_block
from desktop.lab.convolution_view import ConvolutionView
from desktop.lab.input_picker import InputPicker, LabInput
from desktop.lab.kernel_editor import KernelEditor
from desktop.pictures.dropped_files import DroppedFile
from desktop.prediction.throttle import Throttle
from desktop.prediction.worker import Worker
from desktop.widgets import PAGE_MARGIN, column, row
from desktop.window.messages import error_message
from service.inference import LecternError
from service.inference.errors import BlankImage

_INTERVAL_MS = 50
_EDITOR_WIDTH = 268


class LabPage(QWidget):
    """Applies a convolution to a drawing or a picture, on a thread of its own, and shows the output."""

    def __init__(
        self, backend: ExplanationBackend, suggested: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        """Create the page.

        Args:
            backend: Provides the filters of trained networks.
            suggested: Returns the bytes of an image file to offer as input; anything else is ignored.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Convolution")
        self.picker = InputPicker(self)
        self.editor = KernelEditor(backend, self)
        self.form = BlockForm(self)
        self.view = ConvolutionView(self)
        self._suggested = suggested
        self._last_suggested: object = None
        self._throttle = Throttle(_INTERVAL_MS, self)
        self._throttle.triggered.connect(self._compute)
        self._worker = Worker("convolution", self)
        self._worker.result_ready.connect(self._show_result)
        self._worker.failed.connect(self._show_error)
        keys, scope = QKeySequence.StandardKey, Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(keys.Undo, self, self.picker.pad.undo, context=scope)
        QShortcut(keys.Redo, self, self.picker.pad.redo, context=scope)
        self._lay_out()
        for part in (self.picker, self.editor, self.form):
            part.changed.connect(self._throttle.trigger)
        self.view.clear_input(self.picker.placeholder())

    def open_picture(self, file: DroppedFile) -> None:
        """Make an image file the input."""
        self.picker.set_file(file)
        self.picker.select_picture()

    def showEvent(self, event: QShowEvent) -> None:
        """Refresh the networks whose filters are offered, and the suggested picture."""
        super().showEvent(event)
        file = self._suggested()
        if isinstance(file, bytes) and file is not self._last_suggested:
            self._last_suggested = file
            self.picker.set_file(DroppedFile("", file))
        self.editor.refresh_models()

    def _compute(self) -> None:
        loader, kernel = self.picker.loader(), self.editor.kernel
        if loader is None or kernel is None:
            self._worker.cancel()
            if loader is None:
                self.view.clear_input(self.picker.placeholder())
            else:
                self.view.clear_output(self.tr("There is no output without a valid kernel."))
            return
        block = self.form.block(kernel)

        def job() -> Iterator[object]:
            lab_input = loader()
            yield lab_input
            yield apply_block(block, lab_input.pixels)

        self._worker.put(job)

    @Slot(object)
    def _show_result(self, result: LabInput | BlockOutput) -> None:
        if isinstance(result, BlockOutput):
            self.view.set_output(result)
        else:
            self.view.set_input(result)
            self.picker.show_input(result)

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        if isinstance(error, WindowTooLarge):
            self.view.clear_output(
                self.tr("The window is larger than its input. Choose a smaller window or more padding.")
            )
        elif isinstance(error, BlankImage):
            self.view.clear_input(self.picker.placeholder())
        else:
            self.view.clear_input(error_message(error))

    def _lay_out(self) -> None:
        middle = QWidget(self)
        middle.setFixedWidth(_EDITOR_WIDTH)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setForegroundRole(line.palette().ColorRole.Midlight)
        column(self.editor, line, self.form, None, self.view.weighted_sum, parent=middle, spacing=PAGE_MARGIN)
        row((self.picker, 1), middle, (self.view, 1), parent=self, margin=PAGE_MARGIN, spacing=20)
