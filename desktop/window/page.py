"""Defines the base class of pages whose content is predicted."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QWidget

from desktop.prediction.backends import PredictionResult
from desktop.prediction.requests import Origin, Value
from desktop.settings import BarOrder
from service.client import ModelSummary
from service.inference.prediction import Reason
from service.inference.reading.reading import ReadDigit


class Page(QWidget):
    """A tab of the window whose content is predicted as it changes.

    Attributes:
        title: Title of the tab.
        placeholder: The text shown in place of a result while the page is empty.
        key: Name of the page in the settings.
        order: Order of the bars.
        shows_picture: Whether the network gets a picture of the content.
        correct: The action that corrects the prediction; None if the user cannot correct it.
        tools: What stands below the content; a presentation hides it.
        document_id: Increases when new content replaces the old; editing does not change it.

        has_tiles: Whether the page shows tiles of its own, in place of the history.

    Signals:
        changed: The content changed; the user may still be editing.
        settled: The user has finished the content for now.
        activated: The page asks to be shown.
        tiles_changed: The tiles changed, or some are being loaded.
    """

    changed = Signal()
    settled = Signal()
    activated = Signal()
    tiles_changed = Signal()
    title = placeholder = key = ""
    order = BarOrder.SCORES
    shows_picture = True
    correct: QAction | None = None
    has_tiles = False
    document_id = 0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools = QWidget(self)

    def accepts(self, model: ModelSummary) -> bool:
        """Return whether a model accepts the page's content."""
        raise NotImplementedError

    def value(self) -> Value | None:
        """Return the content to predict; None if the page is empty."""
        raise NotImplementedError

    def is_empty(self) -> bool:
        """Return whether there is nothing to clear."""
        return self.value() is None

    def other_values(self) -> Sequence[Value]:
        """Return further content to predict after :meth:`value`."""
        return ()

    def record_result(self, value: Value, result: PredictionResult) -> None:
        """Note the result of :meth:`value` or of one of :meth:`other_values`."""

    def show_digits(self, digits: Sequence[ReadDigit]) -> None:
        """Show where the digits of a number are, until the next call; none for other content."""

    def show_doubt(self, reason: Reason | None) -> None:
        """Say why the network cannot be sure of the content, until the next call; nothing for None."""

    def set_model(self, model: ModelSummary | None) -> None:
        """Set the current model; None if no model accepts the page."""

    def origin(self) -> Origin | None:
        """Return what the history needs to show the content again; None to keep it out of the history."""
        return Origin(self.key, (self.document_id,), self.snapshot(), self.thumbnail())

    def snapshot(self) -> object:
        """Return the content in the form that :meth:`restore` takes."""
        raise NotImplementedError

    def restore(self, snapshot: object) -> None:
        """Show the content of a snapshot; emits no signal."""
        raise NotImplementedError

    def picture(self) -> QImage:
        """Return the content as a picture to copy or save; a null image if there is none."""
        raise NotImplementedError

    def projection(self) -> QImage:
        """Return the content as a projector shows it; a null image if there is none."""
        return self.picture()

    def thumbnail(self) -> QImage:
        """Return a small picture of the content."""
        return self.picture()

    def clear(self) -> None:
        """Remove the content."""
        raise NotImplementedError
