"""Owns the page of pictures: opened, dropped, pasted or picked from the samples."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

from PySide6.QtCore import QMimeData, QSignalBlocker, QSize, Qt, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.pictures.picture_view import PictureView
from desktop.prediction.reader import Value
from desktop.prediction.worker import Worker
from desktop.window.dropped_files import (
    SUFFIXES,
    THUMBNAIL,
    DroppedFile,
    Failure,
    Picture,
    dropped_items,
    unpack,
)
from desktop.window.messages import percent, sentence
from desktop.window.page import Page
from service.client import ModelSummary
from service.inference import Prediction

SAMPLES = Path(__file__).parents[1] / "samples"
_MARGIN = 16
# Enough for a look around; whole folders have a page of their own.
_TRAY_LIMIT = 200


class PicturesPage(Page):
    """Pictures, of which one is shown and all are read."""

    key = "pictures"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = PictureView(self)
        self.tray = QListWidget(self)
        self.notice = QLabel(self)
        self.open = QPushButton(self.tr("&Open…"), self)
        self.paste = QPushButton(self.tr("&Paste"), self)
        self.samples = QHBoxLayout()
        self._samples: list[QToolButton] = []
        self._pictures: list[Picture] = []
        self._current: Picture | None = None
        self._problems: list[str] = []
        self._waiting: deque[DroppedFile] = deque()
        self._fresh = False
        self._unpacks = Worker("unpacks", self)
        self._unpacks.result_ready.connect(self._take_unpacked)
        self._lay_out()
        self.open.clicked.connect(self.open_files)
        self.tray.currentRowChanged.connect(self._pick)

    def title(self) -> str:
        """Return the name on the page's tab."""
        return self.tr("Pictures")

    def placeholder(self) -> str:
        """Return the sentence that stands where the result will be."""
        return self.tr("Bring a picture")

    def accepts(self, model: ModelSummary) -> bool:
        """Take every model of pictures."""
        return model.task == "image-classification"

    def value(self) -> Value | None:
        """Return the picture's file."""
        return None if self._current is None else self._current.data

    def other_contents(self) -> Sequence[Value]:
        """Return the other pictures of the tray."""
        return [picture.data for picture in self._pictures if picture is not self._current]

    def record_prediction(self, value: Value, prediction: Prediction) -> None:
        """Write what was read below the pictures of the tray."""
        for row, picture in enumerate(self._pictures):
            if picture.data is value:
                best = prediction.best
                words = self.tr("Not sure") if prediction.unsure else f"{best.label}\n{percent(best.score)}"
                self.tray.item(row).setText(words)

    def set_model(self, model: ModelSummary | None) -> None:
        """Offer samples that fit a model."""
        for button in self._samples:
            self.samples.removeWidget(button)
            button.deleteLater()
        self._samples = []
        folder = SAMPLES / ("" if model is None else model.name)
        for path in sorted(folder.glob("*.*")) if model is not None else ():
            button = QToolButton(self)
            button.setIcon(QIcon(QPixmap(str(path)).scaled(40, 40, Qt.AspectRatioMode.KeepAspectRatio)))
            button.setIconSize(QSize(40, 40))
            button.setAutoRaise(True)
            button.setToolTip(path.stem.replace("_", " "))
            button.setAccessibleName(self.tr("Sample: {0}").format(path.stem.replace("_", " ")))
            button.clicked.connect(lambda _=False, path=path: self.take([DroppedFile(path.name, path)]))
            self.samples.addWidget(button)
            self._samples.append(button)

    def snapshot(self) -> object:
        """Return the picture."""
        return self._current

    def restore(self, snapshot: object) -> None:
        """Show a picture again, from the tray or not."""
        with QSignalBlocker(self), QSignalBlocker(self.tray):
            picture = cast(Picture, snapshot)
            if picture not in self._pictures:
                self._add(picture)
            self.tray.setCurrentRow(self._pictures.index(picture))
            self._show(picture)

    def picture(self) -> QImage:
        """Return the picture."""
        return QImage() if self._current is None else self._current.image

    def thumbnail(self) -> QImage:
        """Return the picture, small."""
        return QImage() if self._current is None else self._current.thumbnail

    def clear(self) -> None:
        """Put all pictures away."""
        with QSignalBlocker(self.tray):
            self.tray.clear()
        self.tray.hide()
        self._pictures = []
        self._show(None)
        self.changed.emit()

    def open_files(self) -> None:
        """Ask for picture files."""
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        dialog = QFileDialog(self, self.tr("Open pictures"), "", self.tr("Pictures ({0})").format(patterns))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(
            lambda names: self.take(DroppedFile(Path(name).name, Path(name)) for name in names)
        )
        dialog.open()

    def take_mime(self, mime: QMimeData) -> None:
        """Take what was dropped or pasted."""
        came = dropped_items(mime)
        if came.files:
            self.take(came.files)
        elif came.elsewhere:
            self._say(
                self.tr(
                    "This picture lies on the network, and Lectern fetches nothing from there. "
                    "Save it first, or copy the picture itself."
                )
            )
        else:
            self._say(self.tr("There is no picture in it."))

    def take(self, files: Iterable[DroppedFile]) -> None:
        """Unpack pictures, in a thread of its own, and read them."""
        taken = tuple(files)
        self._problems = []
        if len(taken) > _TRAY_LIMIT:
            self._problems = [self.tr("Only the first {0} pictures were taken.").format(_TRAY_LIMIT)]
        self._say("\n".join(self._problems))
        self._fresh = True
        # A worker keeps the newest job only, and none of these may be lost.
        self._waiting.extend(taken[:_TRAY_LIMIT])
        self._unpacks.put(self._unpack)

    def close_workers(self) -> None:
        """Stop the thread."""
        self._unpacks.close()

    def _unpack(self) -> Iterator[object]:
        while self._waiting:
            yield unpack(self._waiting.popleft())

    @Slot(object)
    def _take_unpacked(self, unpacked: Picture | Failure) -> None:
        if isinstance(unpacked, Failure):
            self._problems.append(f"{unpacked.name}: {sentence(unpacked.error)}")
            self._say("\n".join(self._problems[:3]))
            return
        self._add(unpacked)
        if self._fresh:  # The first of those that came together is shown.
            self._fresh = False
            self.tray.setCurrentRow(len(self._pictures) - 1)
        else:
            self.settled.emit()

    def _add(self, picture: Picture) -> None:
        with QSignalBlocker(self.tray):
            if len(self._pictures) >= _TRAY_LIMIT:
                self._pictures.pop(0)
                self.tray.takeItem(0)
            self._pictures.append(picture)
            item = QListWidgetItem(QIcon(QPixmap.fromImage(picture.thumbnail)), "")
            item.setToolTip(picture.name)
            self.tray.addItem(item)
        self.tray.setVisible(len(self._pictures) > 1)

    def _pick(self, row: int) -> None:
        if 0 <= row < len(self._pictures):
            self._show(self._pictures[row])
            self.settled.emit()

    def _show(self, picture: Picture | None) -> None:
        self.sitting += 1
        self._current = picture
        if picture is None:
            self.view.show_image(QImage(), "")
        else:
            self.view.show_image(picture.image, picture.name)

    def _say(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _lay_out(self) -> None:
        self.tray.setViewMode(QListWidget.ViewMode.IconMode)
        self.tray.setFlow(QListWidget.Flow.LeftToRight)
        self.tray.setWrapping(False)
        self.tray.setMovement(QListWidget.Movement.Static)
        self.tray.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.tray.setGridSize(QSize(THUMBNAIL + 32, THUMBNAIL + 44))
        self.tray.setFixedHeight(THUMBNAIL + 62)
        self.tray.setAccessibleName(self.tr("Pictures that were brought"))
        self.tray.hide()
        self.notice.setWordWrap(True)
        self.notice.hide()
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.open)
        foot.addWidget(self.paste)
        foot.addStretch(1)
        foot.addWidget(QLabel(self.tr("Try:"), self))
        self.samples.setSpacing(0)
        foot.addLayout(self.samples)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(12)
        column.addWidget(self.view, 1)
        column.addWidget(self.notice)
        column.addWidget(self.tray)
        column.addLayout(foot)
