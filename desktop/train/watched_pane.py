"""The input that a network reads while it is trained, and what the network says of it."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedWidget, QToolButton, QWidget

from desktop.drawing.pad import Pad
from desktop.drawing.strokes import Stroke
from desktop.pictures.images import png_of_drawing
from desktop.pictures.picture_view import PictureView
from desktop.result.bars import Bars
from desktop.train.plan import InputKind
from desktop.widgets import column, row
from service.inference.training_events import InputRead


@dataclass(frozen=True, eq=False)
class PageContents:
    """What the pages of the window show.

    Attributes:
        strokes: Returns the drawing.
        picture: Returns the bytes of the picture and the picture; None for none.
        text: Returns the text.
    """

    strokes: Callable[[], tuple[Stroke, ...]]
    picture: Callable[[], tuple[bytes, QImage] | None]
    text: Callable[[], str]


class WatchedPane(QWidget):
    """A pad for digits; the picture or the text of its page for other networks.

    Signals:
        changed: The input changed.
    """

    changed = Signal()

    def __init__(self, contents: PageContents, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._contents = contents
        self.kind = InputKind.DIGIT
        self.pad = Pad(self)
        self.picture = PictureView(self)
        self.picture.hint = self.tr("Open a picture on the page Pictures.")
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.clear = QToolButton(self)
        self.clear.setText(self.tr("C&lear"))
        self.reading = QLabel(self)
        self.reading.setWordWrap(True)
        self.bars = Bars(self)
        self._stack = QStackedWidget(self)
        for widget in (self.pad, self.picture, self.text):
            self._stack.addWidget(widget)
        # The pad takes the room that there is: its preferred size would make the page scroll.
        self._stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._stack.setMinimumHeight(200)
        self.pad.settled.connect(self.changed)
        self.clear.clicked.connect(self.pad.clear)
        column(
            row(QLabel(self.tr("The network reads"), self), None, self.clear),
            (self._stack, 3),
            self.reading,
            (self.bars, 2),
            parent=self,
        )
        self.forget_reading()

    def set_kind(self, kind: InputKind) -> None:
        """Show the input of a kind of network."""
        if kind is not self.kind:
            self.kind = kind
            self.forget_reading()
        self._stack.setCurrentIndex(list(InputKind).index(kind))
        self.clear.setVisible(kind is InputKind.DIGIT)
        self.refresh()

    def refresh(self) -> None:
        """Take over what the pages show."""
        if self.kind is InputKind.DIGIT and self.pad.is_blank and self._contents.strokes():
            self.pad.show_strokes(self._contents.strokes())
        picture = self._contents.picture()
        self.picture.show_image(QImage() if picture is None else picture[1], "")
        self.text.setText(self._contents.text() or self.tr("Write a review on the page Text."))
        self.changed.emit()

    def content(self) -> bytes:
        """Return the input as a file; empty if there is none."""
        if self.kind is InputKind.TEXT:
            return self._contents.text().encode()
        if self.kind is InputKind.DIGIT:
            return b"" if self.pad.is_blank else png_of_drawing(self.pad.picture)
        picture = self._contents.picture()
        return b"" if picture is None else picture[0]

    def show_reading(self, reading: InputRead) -> None:
        """Show what the network says."""
        self.bars.set_labels(tuple(score.label for score in reading.scores))
        self.bars.set_scores(reading.scores)
        self.reading.setText(self.tr("After {0} epochs").format(reading.epoch))

    def forget_reading(self) -> None:
        """Show that the network has read nothing yet."""
        self.bars.set_labels(())
        self.reading.setText(self.tr("The network reads this after each epoch."))
