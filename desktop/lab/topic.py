"""Defines the base class of the lab's pages."""

from collections.abc import Callable

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from desktop.lab.input_picker import LabInput
from desktop.prediction.worker import Worker
from service.inference import LecternError


class Topic(QWidget):
    """A page of the lab, which shows what something computes on the input.

    A page that is hidden computes nothing; it gets the newest input when it is shown.

    Attributes:
        title: Title of the page's tab.
        uses_input: Whether the page shows something of the lab's drawing or picture.
        lab_input: The newest input; None while there is none.
        placeholder: The text that is shown in place of a missing input.
    """

    title = ""
    uses_input = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lab_input: LabInput | None = None
        self.placeholder = ""
        self._stale = False
        self._worker = Worker("lab", self)
        self._worker.result_ready.connect(self._deliver)
        self._worker.failed.connect(self._fail)

    def set_input(self, lab_input: LabInput | None, placeholder: str) -> None:
        """Set the input.

        Args:
            lab_input: The input; None if there is none.
            placeholder: The text to show in place of a missing input.
        """
        self.lab_input, self.placeholder = lab_input, placeholder
        self._stale = not self.isVisible()
        if not self._stale:
            self.show_input()

    def showEvent(self, event: QShowEvent) -> None:
        """Show an input that was set while the page was hidden."""
        super().showEvent(event)
        if self._stale:
            self._stale = False
            self.show_input()

    def compute(self, function: Callable[[], object]) -> None:
        """Run a function on the page's thread, in place of a pending one, for :meth:`show_result`."""
        self._worker.call(function)

    def cancel(self) -> None:
        """Drop the results that are not shown yet."""
        self._worker.cancel()

    def show_input(self) -> None:
        """Show :attr:`lab_input`; called on the GUI thread: slow work belongs into :meth:`compute`."""
        raise NotImplementedError

    def show_result(self, result: object) -> None:
        """Show what the function of :meth:`compute` returned."""
        raise NotImplementedError

    def show_error(self, error: LecternError) -> None:
        """Show why there is no result."""
        raise NotImplementedError

    @Slot(object)
    def _deliver(self, result: object) -> None:
        self.show_result(result)

    @Slot(object)
    def _fail(self, error: LecternError) -> None:
        self.show_error(error)
