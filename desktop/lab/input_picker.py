"""The choice of the lab's input: a drawing, or an image file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QStackedWidget, QWidget

from desktop.drawing.pad import Pad
from desktop.lab.convolution import Pixels, crop_grey_square
from desktop.pictures.dropped_files import DroppedFile, LoadFailure, ask_for_pictures, load_picture
from desktop.pictures.images import pillow_of
from desktop.pictures.picture_view import PictureView
from desktop.widgets import column, create_combo, row
from service.inference.preprocessing import decode_image, prepare_digit

SAMPLE = Path(__file__).parents[1] / "samples" / "cats_vs_dogs" / "cat_1.jpg"
_SIZES = (28, 64, 128, 256)
_DEFAULT_SIZE = 64
_DRAWING, _IMAGE = range(2)


@dataclass(frozen=True, eq=False)
class LabInput:
    """The input of the convolution.

    Attributes:
        pixels: uint8 (side, side), grey.
        image: The uncropped image in colour, for display; None for a drawing.
        name: Name of the image file.
    """

    pixels: Pixels
    image: QImage | None = None
    name: str = ""


Loader: TypeAlias = Callable[[], LabInput]


class InputPicker(QWidget):
    """A drawing pad, or an image and the size that it is scaled to.

    Signals:
        changed: The input changed; also during a stroke.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        kinds = ((self.tr("Drawing"), _DRAWING), (self.tr("Picture"), _IMAGE))
        self.kinds = create_combo(self.tr("Input of the convolution"), kinds, self)
        self.pad = Pad(self)
        self.clear = QPushButton(self.tr("&Clear"), self)
        self.view = PictureView(self)
        self.open = QPushButton(self.tr("Open a &picture…"), self)
        sizes = [(f"{size} × {size}", size) for size in _SIZES]
        self.sizes = create_combo(self.tr("Size that the picture is scaled to"), sizes, self)
        self.sizes.setCurrentIndex(_SIZES.index(_DEFAULT_SIZE))
        self._stack = QStackedWidget(self)
        self._file = DroppedFile(SAMPLE.name, SAMPLE)
        self._loader: Loader | None = None
        self._lay_out()
        self.kinds.currentIndexChanged.connect(self._stack.setCurrentIndex)
        self.kinds.currentIndexChanged.connect(self._update)
        self.pad.changed.connect(self._update)
        self.clear.clicked.connect(self.pad.clear)
        self.open.clicked.connect(self.ask_for_picture)
        self.sizes.currentIndexChanged.connect(self._update)

    def set_file(self, file: DroppedFile) -> None:
        """Set the image file; the loader reads it."""
        self._file = file
        if self.kinds.currentIndex() == _IMAGE:
            self._update()

    def select_picture(self) -> None:
        """Make the image the input, in place of the drawing."""
        self.kinds.setCurrentIndex(_IMAGE)

    def loader(self) -> Loader | None:
        """Return a function that loads the input, which may be slow the first time.

        Returns:
            The same function until the input changes; it raises a LecternError if the image cannot be used.
            None if the pad is blank.
        """
        if self._loader is None:
            self._loader = self._new_loader()
        return self._loader

    def placeholder(self) -> str:
        """Return the text that is shown without an input."""
        return self.tr("Draw something") if self.kinds.currentIndex() == _DRAWING else ""

    def show_input(self, loaded: LabInput) -> None:
        """Show the image that the loader read."""
        if loaded.image is not None:
            self.view.show_image(loaded.image, loaded.name)

    def ask_for_picture(self) -> None:
        """Open a dialog for an image file."""
        ask_for_pictures(
            self,
            self.tr("Open a picture"),
            QFileDialog.FileMode.ExistingFile,
            lambda files: self.set_file(files[0]),
        )

    def _update(self) -> None:
        self._loader = None
        self.changed.emit()

    def _new_loader(self) -> Loader | None:
        if self.kinds.currentIndex() == _IMAGE:
            file, size = self._file, int(self.sizes.currentData())
            return cache(lambda: _load_image(file, size))
        drawing = self.pad.picture
        return None if self.pad.is_blank else cache(lambda: LabInput(prepare_digit(pillow_of(drawing))))

    def _lay_out(self) -> None:
        note = QLabel(self.tr("Preprocessed like a digit: 28 × 28"), self)
        self._stack.addWidget(_stack_page(self.pad, note, self.clear))
        self._stack.addWidget(_stack_page(self.view, self.sizes, self.open))
        column(self.kinds, (self._stack, 1), parent=self)


def _load_image(file: DroppedFile, size: int) -> LabInput:
    picture = load_picture(file)
    if isinstance(picture, LoadFailure):
        raise picture.error
    return LabInput(crop_grey_square(decode_image(picture.data), size=size), picture.image, picture.name)


def _stack_page(view: QWidget, left: QWidget, right: QWidget) -> QWidget:
    page = QWidget()
    column((view, 1), row(left, None, right, spacing=None), parent=page)
    return page
