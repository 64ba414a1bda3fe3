"""The choice of the lab's input: a drawing, or an image file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLabel, QPushButton, QStackedWidget, QWidget

from desktop.drawing.pad import Pad
from desktop.pictures.dropped_files import DroppedFile, LoadFailure, ask_for_pictures, load_picture
from desktop.pictures.images import Pixels, pillow_of
from desktop.pictures.picture_view import PictureView
from desktop.widgets import Part, column, create_combo, row
from desktop.window.messages import keep_sizes_whole
from service.inference.files import printable
from service.inference.preprocessing import decode_image, prepare_digit, prepare_photo

SAMPLE = Path(__file__).parents[1] / "samples" / "cats_vs_dogs" / "cat_1.jpg"
# 227 is the size of AlexNet's input.
_SIZES = (28, 64, 128, 227, 256)
_DEFAULT_SIZE = 64
_DRAWING, _IMAGE = range(2)


@dataclass(frozen=True, eq=False)
class LabInput:
    """The input of the lab.

    Attributes:
        pixels: uint8 (side, side), grey.
        colors: uint8 (side, side, 3); None for a grey input.
        source: The whole image, upright, for networks that prepare it themselves, and for display; large ones
            are reduced for the screen.
        name: Name of the image file; empty for a drawing.
        drawn: Whether it is a drawing.
    """

    pixels: Pixels
    colors: Pixels | None = None
    source: QImage | None = None
    name: str = ""
    drawn: bool = False

    @property
    def planes(self) -> npt.NDArray[np.float32]:
        """The slices of the depth, float32 (1 or 3, side, side), 0 to 255."""
        planes = self.pixels[None] if self.colors is None else self.colors.transpose(2, 0, 1)
        return planes.astype(np.float32)

    @property
    def shown(self) -> Pixels:
        """The pixels to show: the colours if there are some, else the grey levels."""
        return self.pixels if self.colors is None else self.colors


Loader: TypeAlias = Callable[[], LabInput]


class InputPicker(QWidget):
    """A drawing pad, or an image and the size that it is scaled to.

    Attributes:
        notice: Says that of several files only one was opened.

    Signals:
        changed: The input changed; also during a stroke.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        kinds = ((self.tr("Drawing"), _DRAWING), (self.tr("Picture"), _IMAGE))
        self.kinds = create_combo(self.tr("Input of the lab"), kinds, self)
        self.pad = Pad(self)
        self.clear = QPushButton(self.tr("&Clear"), self)
        self.view = PictureView(self)
        self.open = QPushButton(self.tr("Open a &picture…"), self)
        sizes = [(f"{size} × {size}", size) for size in _SIZES]
        self.sizes = create_combo(self.tr("Size that the picture is scaled to"), sizes, self)
        self.sizes.setCurrentIndex(_SIZES.index(_DEFAULT_SIZE))
        self.colors = QCheckBox(self.tr("Colo&ur: depth 3"), self)
        self.notice = QLabel(self)
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
        self.colors.toggled.connect(self._update)

    def hasHeightForWidth(self) -> bool:
        """Return False, as the tabs beside it."""
        return False

    @property
    def is_drawing(self) -> bool:
        """Whether the input is the drawing."""
        return self.kinds.currentIndex() == _DRAWING

    def set_file(self, file: DroppedFile, *, others: bool = False) -> None:
        """Set the image file, which the loader reads, and say if there are others that it does not read."""
        self._file = file
        text = self.tr("Only {0} was opened. Drop one picture at a time.")
        self.notice.setText(text.format(printable(file.name)))
        self.notice.setVisible(others)
        if not self.is_drawing:
            self._update()

    def select_picture(self) -> None:
        """Make the image the input, in place of the drawing."""
        self.kinds.setCurrentIndex(_IMAGE)

    def select_color_picture(self, size: int) -> None:
        """Make the image, in colour and at one of the sizes, the input."""
        self.sizes.setCurrentIndex(_SIZES.index(size))
        self.colors.setChecked(True)
        self.select_picture()

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
        return self.tr("Draw something") if self.is_drawing else ""

    def show_input(self, loaded: LabInput) -> None:
        """Show the image that the loader read."""
        if not loaded.drawn and loaded.source is not None:
            self.view.show_image(loaded.source, loaded.name)

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
        if not self.is_drawing:
            file, size, color = self._file, int(self.sizes.currentData()), self.colors.isChecked()
            return cache(lambda: _load_image(file, size, color=color))
        drawing = self.pad.picture
        if self.pad.is_blank:
            return None
        return cache(lambda: LabInput(prepare_digit(pillow_of(drawing)), source=drawing, drawn=True))

    def _lay_out(self) -> None:
        note = QLabel(keep_sizes_whole(self.tr("Preprocessed like a digit: 28 × 28")), self)
        note.setWordWrap(True)
        self._stack.addWidget(_stack_page(self.pad, note, row(None, self.clear)))
        self.notice.setWordWrap(True)
        self.notice.setTextFormat(Qt.TextFormat.PlainText)
        self.notice.hide()
        self._stack.addWidget(_stack_page(self.view, self.sizes, self.colors, self.open, self.notice))
        column(self.kinds, (self._stack, 1), parent=self)


def crop_square(image: Image.Image, *, size: int) -> Pixels:
    """Return the largest centred square of an image, cropped as :func:`prepare_photo` does.

    Args:
        image: Mode ``L``, ``RGB`` or ``RGBA``, upright.
        size: Side of the result, in pixels.

    Returns:
        uint8 (size, size, 3).
    """
    return prepare_photo(image, size=size)


def to_grey(colors: Pixels) -> Pixels:
    """Return the grey levels of colours: uint8 (height, width) of uint8 (height, width, 3)."""
    return np.asarray(Image.fromarray(colors).convert("L"))


def _load_image(file: DroppedFile, size: int, *, color: bool) -> LabInput:
    picture = load_picture(file)
    if isinstance(picture, LoadFailure):
        raise picture.error
    colors = crop_square(decode_image(picture.data), size=size)
    return LabInput(to_grey(colors), colors if color else None, picture.image, picture.name)


def _stack_page(view: QWidget, *parts: Part) -> QWidget:
    page = QWidget()
    column((view, 1), *parts, parent=page)
    return page
