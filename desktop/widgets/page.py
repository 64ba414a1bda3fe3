"""Owns what the pages have in common: something that a network can be asked about."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from desktop.reader import Value
from desktop.settings import Order
from service.client import ModelSummary


class Page(QWidget):
    """A page of the window whose content is read as it changes.

    Attributes:
        key: Name of the page in the settings.
        order: Order of the bars before anybody chose one.

    Signals:
        changed: There is something new, which may still be in the making.
        settled: What is there is done, for the time being.
        failed: Something could not be taken in; a sentence that says why.
    """

    changed = Signal()
    settled = Signal()
    failed = Signal(str)
    key = ""
    order = Order.SCORES

    def title(self) -> str:
        """Return the name on the page's tab."""
        raise NotImplementedError

    def invitation(self) -> str:
        """Return the sentence that stands where the result will be."""
        raise NotImplementedError

    def fits(self, model: ModelSummary) -> bool:
        """Tell whether a model can read what this page holds."""
        raise NotImplementedError

    def value(self) -> Value | None:
        """Return what is to be read; None if there is nothing."""
        raise NotImplementedError

    def snapshot(self) -> object:
        """Return what :meth:`bring_back` needs to show the same again."""
        raise NotImplementedError

    def bring_back(self, snapshot: object) -> None:
        """Show again what was there when the snapshot was taken; no signal is sent."""
        raise NotImplementedError

    def thumbnail(self) -> QImage:
        """Return a small picture of what is there."""
        raise NotImplementedError

    def clear(self) -> None:
        """Go back to nothing."""
        raise NotImplementedError
