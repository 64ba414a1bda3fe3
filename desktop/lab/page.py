"""The lab: an input, and the pages that show what layers compute on it."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QTabWidget, QWidget

from desktop.explain.backend import ExplanationBackend
from desktop.lab.convolution.page import ConvolutionPage
from desktop.lab.input_picker import InputPicker, LabInput
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.page import NetworkPage
from desktop.lab.stack.dimensions_page import DimensionsPage
from desktop.lab.stack.page import StackPage
from desktop.lab.stack.transposed_page import TransposedPage
from desktop.lab.topic import Topic
from desktop.lab.values.activation_page import ActivationPage
from desktop.lab.values.softmax_page import SoftmaxPage
from desktop.lab.values.training_page import TrainingPage
from desktop.lab.words.page import WordsPage
from desktop.pictures.dropped_files import DroppedFile
from desktop.prediction.throttle import Throttle
from desktop.prediction.worker import Worker
from desktop.widgets import PAGE_MARGIN, row
from desktop.window.messages import error_message
from service.inference import LecternError
from service.inference.errors import BlankImage

_INTERVAL_MS = 33
_PICKER_WIDTH = 216


class _Tabs(QTabWidget):
    """Tabs that take the height that there is, and not the one that the pages prefer for their width."""

    def hasHeightForWidth(self) -> bool:
        """Return False: the scroll area around the lab would else grow to the preferred height."""
        return False


class LabPage(QWidget):
    """Gives the drawing or the picture to the page that is shown.

    Attributes:
        topics: The pages.
    """

    def __init__(
        self, backend: ExplanationBackend, suggested: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        """Create the lab.

        Args:
            backend: Provides the trained networks.
            suggested: Returns the bytes of an image file to offer as input; anything else is ignored.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Lab")
        self.picker = InputPicker(self)
        self.convolution = ConvolutionPage(backend, self)
        loader = NetworkLoader(backend)
        self.stack, self.transposed = StackPage(self), TransposedPage(self)
        self.dimensions = DimensionsPage(self)
        self.network = NetworkPage(loader, self)
        self.softmax = SoftmaxPage(loader, self)
        self.activation = ActivationPage(loader, self)
        self.training = TrainingPage(loader, self)
        self.words = WordsPage(backend, self)
        self.topics: tuple[Topic, ...] = (
            self.convolution, self.stack, self.transposed, self.dimensions,
            self.network, self.softmax, self.activation, self.training,
            self.words,
        )  # fmt: skip
        self.tabs = _Tabs(self)
        self._suggested = suggested
        self._last_suggested: object = None
        self._throttle = Throttle(_INTERVAL_MS, self)
        self._throttle.triggered.connect(self._load)
        self._worker = Worker("lab input", self)
        self._worker.result_ready.connect(self._show_input)
        self._worker.failed.connect(self._show_error)
        keys, scope = QKeySequence.StandardKey, Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(keys.Undo, self, self.picker.pad.canvas.undo, context=scope)
        QShortcut(keys.Redo, self, self.picker.pad.canvas.redo, context=scope)
        self._lay_out()
        self.picker.changed.connect(self._throttle.trigger)
        self.tabs.currentChanged.connect(self._show_picker)
        self.convolution.picture_requested.connect(self.picker.select_color_picture)
        self._set_input(None, self.picker.placeholder())

    def open_picture(self, file: DroppedFile, *others: DroppedFile) -> None:
        """Make an image file the input, and say if there are others."""
        self.picker.set_file(file, others=bool(others))
        self.picker.select_picture()

    def showEvent(self, event: QShowEvent) -> None:
        """Offer the suggested picture."""
        super().showEvent(event)
        file = self._suggested()
        if isinstance(file, bytes) and file is not self._last_suggested:
            self._last_suggested = file
            self.picker.set_file(DroppedFile("", file))

    def _load(self) -> None:
        loader = self.picker.loader()
        if loader is None:
            self._worker.cancel()
            self._set_input(None, self.picker.placeholder())
        else:
            self._worker.call(loader)

    @Slot(object)
    def _show_input(self, loaded: LabInput) -> None:
        self.picker.show_input(loaded)
        self._set_input(loaded, "")

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        blank = isinstance(error, BlankImage)
        self._set_input(None, self.picker.placeholder() if blank else error_message(error))

    @Slot(int)
    def _show_picker(self, index: int) -> None:
        self.picker.setVisible(self.topics[index].uses_input)

    def _set_input(self, lab_input: LabInput | None, placeholder: str) -> None:
        for topic in self.topics:
            topic.set_input(lab_input, placeholder)

    def _lay_out(self) -> None:
        self.picker.setFixedWidth(_PICKER_WIDTH)
        self.tabs.setDocumentMode(True)
        for topic in self.topics:
            self.tabs.addTab(topic, topic.title)
        row(self.picker, (self.tabs, 1), parent=self, margin=PAGE_MARGIN, spacing=12)
