"""Owns what the pages have in common: something that a network can be asked about."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from desktop.prediction.reader import Value
from desktop.settings import Order
from service.client import ModelSummary
from service.inference import Prediction


class Page(QWidget):
    """A page of the window whose content is read as it changes.

    Attributes:
        key: Name of the page in the settings.
        order: Order of the bars before anybody chose one.
        sitting: A number that grows when the content is no longer a continuation of what was there before.

    Signals:
        changed: There is something new, which may still be in the making.
        settled: What is there is done, for the time being.
    """

    changed = Signal()
    settled = Signal()
    key = ""
    order = Order.SCORES
    sitting = 0

    def title(self) -> str:
        """Return the name on the page's tab."""
        raise NotImplementedError

    def placeholder(self) -> str:
        """Return the sentence that stands where the result will be."""
        raise NotImplementedError

    def accepts(self, model: ModelSummary) -> bool:
        """Tell whether a model can read what this page holds."""
        raise NotImplementedError

    def value(self) -> Value | None:
        """Return what is to be read; None if there is nothing."""
        raise NotImplementedError

    def other_contents(self) -> Sequence[Value]:
        """Return what else is to be read when the content has settled."""
        return ()

    def record_prediction(self, value: Value, prediction: Prediction) -> None:
        """Take down what was read from :meth:`value` or one of the :meth:`others`."""

    def set_model(self, model: ModelSummary | None) -> None:
        """Get to know the model that will be asked; None if there is none."""

    def snapshot(self) -> object:
        """Return what :meth:`bring_back` needs to show the same again."""
        raise NotImplementedError

    def restore(self, snapshot: object) -> None:
        """Show again what was there when the snapshot was taken; no signal is sent."""
        raise NotImplementedError

    def picture(self) -> QImage:
        """Return what is there as a picture, to be copied or saved; a null one if there is none."""
        raise NotImplementedError

    def thumbnail(self) -> QImage:
        """Return a small picture of what is there."""
        raise NotImplementedError

    def clear(self) -> None:
        """Go back to nothing."""
        raise NotImplementedError
