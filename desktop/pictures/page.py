"""Provides the page of picture files: opened, dropped, pasted or chosen from the samples."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtWidgets import QFileDialog, QLabel, QListWidgetItem, QPushButton, QWidget

from desktop import theme
from desktop.flow_layout import FlowLayout
from desktop.pictures.dropped_files import (
    DroppedFile,
    DroppedItems,
    LoadFailure,
    Picture,
    ask_for_pictures,
)
from desktop.pictures.loader import PictureLoader
from desktop.pictures.picture_view import PictureView
from desktop.pictures.sample_bar import SampleBar
from desktop.pictures.thumbnail_list import ThumbnailList, set_tile
from desktop.prediction.backends import PredictionResult
from desktop.prediction.requests import Value
from desktop.result.certainty import tile_answer
from desktop.widgets import PAGE_MARGIN, column
from desktop.window.actions import create_action
from desktop.window.messages import announce, error_message, left_out_message, reason_message
from desktop.window.page import Page
from service.client import ModelSummary
from service.inference.prediction import Reason
from service.inference.reading.reading import ReadDigit

_SHOWN_ERRORS = 3
# Larger numbers belong on the folder page.
_MAX_PICTURES = 200


class PicturesPage(Page):
    """Shows one picture and predicts all.

    Attributes:
        notice: Says which pictures cannot be shown, and which files are none.
        doubt: Says why the network cannot be sure of the picture that is shown.

    Signals:
        paste_requested: The user wants to paste.
    """

    paste_requested = Signal()
    key = "pictures"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Pictures")
        self.placeholder = self.tr("Open a picture")
        self.view = PictureView(self)
        self.tray = ThumbnailList(self)
        self.notice, self.doubt = QLabel(self), QLabel(self)
        keys = QKeySequence.StandardKey
        self.open = create_action(self, self.tr("&Open pictures…"), self.open_files, keys.Open)
        self.samples = SampleBar(self.tools)
        self._pictures: list[Picture] = []
        self._current: Picture | None = None
        self._notes: list[str] = []
        self._errors: list[str] = []
        self._select_next, self._before_selected = False, 0
        self._loader = PictureLoader(self)
        self._loader.loaded.connect(self._add_loaded)
        self._loader.failed.connect(self._report)
        self._lay_out()
        self.samples.chosen.connect(lambda file: self.load([file]))
        self.tray.currentRowChanged.connect(self._select)

    def accepts(self, model: ModelSummary) -> bool:
        """Accept all models of pictures."""
        return model.task == "image-classification"

    def value(self) -> Value | None:
        """Return the bytes of the current picture."""
        return None if self._current is None else self._current.data

    def is_empty(self) -> bool:
        """Return whether there is neither a picture nor one that is being loaded."""
        return self._current is None and not self._loader.pending

    def other_values(self) -> Sequence[Value]:
        """Return the bytes of the other pictures."""
        return [picture.data for picture in self._pictures if picture is not self._current]

    def record_result(self, value: Value, result: PredictionResult) -> None:
        """Show the answer below the picture in the tray."""
        answer = tile_answer(result)
        for index, picture in enumerate(self._pictures):
            if picture.data is value:
                item = self.tray.item(index)
                set_tile(item, answer.caption, doubtful=answer.doubtful)
                item.setToolTip(f"{picture.name}\n{answer.tip}")

    def show_digits(self, digits: Sequence[ReadDigit]) -> None:
        """Show boxes around the digits of the current picture."""
        self.view.show_digits(digits, width=0 if self._current is None else self._current.width)

    def show_doubt(self, reason: Reason | None) -> None:
        """Say why the network cannot be sure of the current picture."""
        text = "" if reason is None else reason_message(reason)
        if text and text != self.doubt.text():
            announce(self, text)
        self.doubt.setText(text)
        self.doubt.setVisible(bool(text))

    def set_model(self, model: ModelSummary | None) -> None:
        """Offer the samples of a model."""
        self.samples.offer(model)

    def snapshot(self) -> object:
        """Return the current picture."""
        return self._current

    def restore(self, snapshot: object) -> None:
        """Show a picture again, and add it to the tray if it is no longer there."""
        with QSignalBlocker(self), QSignalBlocker(self.tray):
            picture = cast(Picture, snapshot)
            if picture not in self._pictures:
                self._add(picture)
            self.tray.setCurrentRow(self._pictures.index(picture))
            self._show(picture)

    def picture(self) -> QImage:
        """Return the current picture."""
        return QImage() if self._current is None else self._current.image

    def thumbnail(self) -> QImage:
        """Return the thumbnail of the current picture."""
        return QImage() if self._current is None else self._current.thumbnail

    def clear(self) -> None:
        """Remove all pictures, and stop loading."""
        self._loader.cancel()
        with QSignalBlocker(self.tray):
            self.tray.clear()
        self._pictures = []
        self._show_tray()
        self._show(None)
        self.changed.emit()

    def open_files(self) -> None:
        """Ask for picture files."""
        self.activated.emit()
        ask_for_pictures(self, self.tr("Open pictures"), QFileDialog.FileMode.ExistingFiles, self.load)

    def open_path(self, path: Path) -> None:
        """Show a picture file."""
        self.activated.emit()
        self.load([DroppedFile(path.name, path)])

    def add(self, items: DroppedItems, *, left_out: Sequence[str] = ()) -> None:
        """Add what was dropped or pasted; arguments as for :meth:`load`."""
        self.activated.emit()
        if items.files:
            self.load(items.files, left_out=left_out)
        elif items.remote:
            self._show_notice(
                self.tr(
                    "This picture is on the network, and Lectern downloads nothing. "
                    "Save it first, or copy the picture itself."
                )
            )
        else:
            self._show_notice(
                self.tr("This is no picture. Drop or paste pictures, their files, or the path of a file.")
            )

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures in the order of the tiles."""
        return tuple(self._pictures)

    @property
    def pending(self) -> tuple[DroppedFile, ...]:
        """The pictures that are still being loaded, which become the last tiles."""
        return self._loader.pending

    @property
    def current_index(self) -> int:
        """Number of the picture that is shown, or that will be when it is loaded; 0 if there is none."""
        if self._select_next:
            return len(self._pictures) + self._before_selected
        current = self._current
        return self._pictures.index(current) if current in self._pictures else 0

    def load(self, files: Iterable[DroppedFile], *, select: int = 0, left_out: Sequence[str] = ()) -> None:
        """Load pictures on another thread, and predict them.

        Args:
            files: The pictures.
            select: Number of pictures before the one that is shown.
            left_out: Names of files that came with the pictures, and are none.
        """
        files = tuple(files)
        self._notes, self._errors = [], []
        if left_out:
            self._notes.append(left_out_message(left_out))
        if len(files) > _MAX_PICTURES:
            self._notes.append(self.tr("Only the first {0} pictures were loaded.").format(_MAX_PICTURES))
        self._show_notes()
        self._select_next, self._before_selected = True, select
        self._loader.load(files[:_MAX_PICTURES])
        self.tiles_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self.doubt.setPalette(theme.text_palette("doubt-text", self.palette()))
        super().changeEvent(event)

    @Slot(object)
    def _report(self, failure: LoadFailure) -> None:
        self.tiles_changed.emit()
        self._errors.append(f"{failure.name}: {error_message(failure.error)}")
        self._show_notes()

    @Slot(object)
    def _add_loaded(self, picture: Picture) -> None:
        self._add(picture)
        if self._select_next and self._before_selected:
            self._before_selected -= 1
        elif self._select_next:
            self._select_next = False
            self.tray.setCurrentRow(len(self._pictures) - 1)
        else:
            self.settled.emit()

    def _add(self, picture: Picture) -> None:
        with QSignalBlocker(self.tray):
            if len(self._pictures) >= _MAX_PICTURES:
                self._pictures.pop(0)
                self.tray.takeItem(0)
            self._pictures.append(picture)
            item = QListWidgetItem()
            set_tile(item, "", image=picture.thumbnail)
            item.setToolTip(picture.name)
            self.tray.addItem(item)
        self._show_tray()

    def _show_tray(self) -> None:
        self.has_tiles = len(self._pictures) > 1
        self.tray.setVisible(self.has_tiles)
        self.tiles_changed.emit()

    def _select(self, row: int) -> None:
        if 0 <= row < len(self._pictures):
            self._show(self._pictures[row])
            self.settled.emit()

    def _show(self, picture: Picture | None) -> None:
        self.document_id += 1
        self._current = picture
        self.show_doubt(None)
        if picture is None:
            self.view.show_image(QImage(), "")
        else:
            self.view.show_image(picture.image, picture.name)

    def _show_notes(self) -> None:
        lines = [*self._notes, *self._errors[:_SHOWN_ERRORS]]
        if len(self._errors) > _SHOWN_ERRORS:
            text = self.tr("Further files with errors, not shown here: {0}")
            lines.append(text.format(len(self._errors) - _SHOWN_ERRORS))
        self._show_notice("\n".join(lines))

    def _show_notice(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _lay_out(self) -> None:
        self.tray.setAccessibleName(self.tr("Pictures"))
        self.tray.hide()
        for label in (self.notice, self.doubt):
            label.setWordWrap(True)
            label.hide()
        # A name such as "<b>.png" is no markup.
        self.notice.setTextFormat(Qt.TextFormat.PlainText)
        self.doubt.setPalette(theme.text_palette("doubt-text", self.palette()))
        buttons = [QPushButton(self.tr("&Open…"), self), QPushButton(self.tr("&Paste"), self)]
        buttons[0].clicked.connect(self.open.trigger)
        buttons[1].clicked.connect(self.paste_requested)
        FlowLayout(self.tools, buttons, [self.samples])
        parts = ((self.view, 1), self.doubt, self.notice, self.tray, self.tools)
        column(*parts, parent=self, margin=PAGE_MARGIN, spacing=12)
