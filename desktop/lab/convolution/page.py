"""The page of a convolutional layer."""

from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QWidget

from desktop.explain.backend import ExplanationBackend
from desktop.lab.convolution.examples import EXAMPLES, Example, ExampleName
from desktop.lab.convolution.form import BlockForm
from desktop.lab.convolution.kernel_editor import KernelEditor
from desktop.lab.convolution.layer import BlockOutput, apply_block
from desktop.lab.convolution.view import ConvolutionView
from desktop.lab.convolution.window import WindowTooLarge
from desktop.lab.input_picker import LabInput
from desktop.lab.topic import Topic
from desktop.prediction.throttle import Throttle
from desktop.widgets import column, create_combo, row
from desktop.window.messages import error_message
from service.inference import LecternError

_INTERVAL_MS = 50
_EDITOR_WIDTH = 272


class ConvolutionPage(Topic):
    """Applies a convolutional layer to the input, on a thread of its own, and shows the output.

    Signals:
        picture_requested: An example needs the picture in colour, at a size in pixels.
    """

    picture_requested = Signal(int)

    def __init__(self, backend: ExplanationBackend, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            backend: Provides the filters of trained networks.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Convolution")
        self.examples = create_combo(self.tr("Example of the lecture"), self._example_items(), self)
        self.editor = KernelEditor(backend, self)
        self.form = BlockForm(self)
        self.view = ConvolutionView(self.editor.grid, self)
        self._throttle = Throttle(_INTERVAL_MS, self)
        self._throttle.triggered.connect(self._compute)
        self._lay_out()
        self.examples.activated.connect(lambda index: self.use_example(self.examples.itemData(index)))
        self.editor.changed.connect(self._throttle.trigger)
        self.form.changed.connect(self._throttle.trigger)
        self.editor.filter_shown.connect(self._show_filter)
        self.view.maps.map_selected.connect(self._show_number)
        self.view.clear_input("")

    def use_example(self, name: ExampleName) -> None:
        """Set kernel and parameters as in an example."""
        example = EXAMPLES[name]
        self._apply(example)
        if example.picture_size is not None:
            self.picture_requested.emit(example.picture_size)

    def showEvent(self, event: QShowEvent) -> None:
        """Refresh the networks whose filters are offered."""
        super().showEvent(event)
        self.editor.refresh_models()

    def show_input(self) -> None:
        """Compute the output of the new input."""
        if self.lab_input is not None:
            self.editor.set_depth(len(self.lab_input.planes))
        self._throttle.flush()

    def _apply(self, example: Example) -> None:
        if example.weights is None:
            self.editor.set_filters(example.filters, example.size)
        else:
            self.editor.set_weights(example.weights)
        self.form.set_values(
            stride=example.stride,
            same=example.same,
            dilation=example.dilation,
            depthwise=example.depthwise,
            pointwise=example.pointwise,
        )

    def _compute(self) -> None:
        lab_input = self.lab_input
        if lab_input is None or not self.editor.valid:
            self.cancel()
            if lab_input is None:
                self.view.clear_input(self.placeholder)
            else:
                self.view.set_input(lab_input)
                self.view.clear_output(self.tr("There is no output without a valid kernel."))
            return
        planes = lab_input.planes
        block = self.form.block(self.editor.filters, len(planes))
        self.compute(lambda: (lab_input, apply_block(block, planes)))

    def show_result(self, result: object) -> None:
        """Show the output."""
        lab_input, output = cast(tuple[LabInput, BlockOutput], result)
        self.view.set_input(lab_input)
        self.view.set_output(output)

    def show_error(self, error: LecternError) -> None:
        """Show why there is no output."""
        if isinstance(error, WindowTooLarge):
            text = self.tr("The window is larger than its input. Choose a smaller window or more padding.")
        else:
            text = error_message(error)
        self.view.clear_output(text)

    def _show_filter(self) -> None:
        """Show the output map of the filter that the editor shows."""
        self.view.set_slice(self.editor.depth_slice)
        block = None if self.view.output is None else self.view.output.block
        if block is not None and block.pointwise is None and not block.layer.depthwise:
            self.view.show_map(self.editor.index)

    def _show_number(self, row: int, index: int) -> None:
        """Show the filter of the output map that was selected."""
        block = None if self.view.output is None else self.view.output.block
        if block is None or block.pointwise is not None:
            return
        self.editor.show_number(index % self.editor.count.value() if block.layer.depthwise else index)

    def _example_items(self) -> tuple[tuple[str, ExampleName], ...]:
        return (
            (self.tr("Example: edges"), ExampleName.EDGES),
            (self.tr("AlexNet: 227, 11, 4 → 55"), ExampleName.ALEXNET),
            (self.tr("Dilated by 2"), ExampleName.DILATED),
            (self.tr("Depthwise, then 1 × 1"), ExampleName.DEPTHWISE_SEPARABLE),
            (self.tr("Bottleneck: 32 → 4 maps"), ExampleName.BOTTLENECK),
            (self.tr("1 × 1: colour to grey"), ExampleName.GREY),
        )

    def _lay_out(self) -> None:
        settings = QWidget(self)
        settings.setFixedWidth(_EDITOR_WIDTH)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setForegroundRole(line.palette().ColorRole.Midlight)
        column(self.examples, self.editor, line, self.form, None, parent=settings)
        row(settings, (self.view, 1), parent=self, margin=8, spacing=16)
