"""Owns what the lab works on: a drawing of its own, or a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.drawing.pad import Pad
from desktop.lab.convolution import grey_square
from desktop.pictures.dropped_files import SUFFIXES, DroppedFile, LoadFailure, load_picture
from desktop.pictures.images import pillow_of
from desktop.pictures.picture_view import PictureView
from service.inference.preprocessing import decode_image, prepare_digit

SAMPLE = Path(__file__).parents[1] / "samples" / "cats_vs_dogs" / "cat_1.jpg"
_SIDES = (28, 64, 128, 256)
_USUAL_SIDE = 64


@dataclass(frozen=True, eq=False)
class Material:
    """What the lab works on.

    Attributes:
        pixels: uint8 (side, side), grey.
        image: The whole picture, for the screen; None for a drawing.
        name: Of the picture, for people.
    """

    pixels: npt.NDArray[np.uint8]
    image: QImage | None = None
    name: str = ""


Fetch: TypeAlias = Callable[[], Material]


class LabSource(QWidget):
    """A pad to draw on, or a picture, and the size that it is brought to.

    Signals:
        changed: There is something else to work on, which may still be in the making.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kinds = QComboBox(self)
        self.kinds.addItems([self.tr("A drawing"), self.tr("A picture")])
        self.kinds.setAccessibleName(self.tr("What the lab works on"))
        self.pad = Pad(self)
        self.clear = QPushButton(self.tr("&Clear"), self)
        self.view = PictureView(self)
        self.open = QPushButton(self.tr("Open a &picture…"), self)
        self.sides = QComboBox(self)
        for side in _SIDES:
            self.sides.addItem(f"{side} × {side}", side)
        self.sides.setCurrentIndex(_SIDES.index(_USUAL_SIDE))
        self.sides.setAccessibleName(self.tr("Size that the picture is brought to"))
        self._stack = QStackedWidget(self)
        self._parcel = DroppedFile(SAMPLE.name, SAMPLE)
        self._lay_out()
        self.kinds.currentIndexChanged.connect(self._turn)
        self.pad.changed.connect(self.changed)
        self.clear.clicked.connect(self.pad.clear)
        self.open.clicked.connect(self.ask_for_picture)
        self.sides.currentIndexChanged.connect(lambda: self.changed.emit())

    def take(self, parcel: DroppedFile) -> None:
        """Work on a picture; it is unpacked when it is fetched."""
        self._parcel = parcel
        if self.kinds.currentIndex() == 1:
            self.changed.emit()

    def turn_to_picture(self) -> None:
        """Work on the picture rather than on the drawing."""
        self.kinds.setCurrentIndex(1)

    def fetch(self) -> Fetch | None:
        """Return the way to what is to be worked on, to be gone outside the window's thread.

        Returns:
            A function that raises a LecternError if the picture cannot be used; None for a blank pad.
        """
        if self.kinds.currentIndex() == 0:
            drawing = self.pad.picture
            return None if self.pad.is_blank else lambda: Material(prepare_digit(pillow_of(drawing)))
        parcel, side = self._parcel, int(self.sides.currentData())
        return lambda: _unpacked(parcel, side)

    def placeholder(self) -> str:
        """Return the sentence that stands where nothing is shown."""
        return self.tr("Draw something") if self.kinds.currentIndex() == 0 else ""

    def show_material(self, material: Material) -> None:
        """Show the whole picture that the pixels were made of."""
        if material.image is not None:
            self.view.show_image(material.image, material.name)

    def ask_for_picture(self) -> None:
        """Ask for a picture file."""
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        dialog = QFileDialog(self, self.tr("Open a picture"), "", self.tr("Pictures ({0})").format(patterns))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.take(DroppedFile(Path(name).name, Path(name))))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _turn(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.changed.emit()

    def _lay_out(self) -> None:
        note = QLabel(self.tr("Read like a digit: 28 × 28"), self)
        self._stack.addWidget(_sheet(self.pad, note, self.clear))
        self._stack.addWidget(_sheet(self.view, self.sides, self.open))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.kinds)
        column.addWidget(self._stack, 1)


def _unpacked(parcel: DroppedFile, side: int) -> Material:
    picture = load_picture(parcel)
    if isinstance(picture, LoadFailure):
        raise picture.error
    pixels = grey_square(decode_image(picture.data), side=side)
    return Material(pixels, picture.image, picture.name)


def _sheet(view: QWidget, left: QWidget, right: QWidget) -> QWidget:
    sheet = QWidget()
    foot = QHBoxLayout()
    foot.addWidget(left)
    foot.addStretch(1)
    foot.addWidget(right)
    column = QVBoxLayout(sheet)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    column.addWidget(view, 1)
    column.addLayout(foot)
    return sheet
