"""Shows the confusion matrix of a folder, and the pictures of a cell."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidgetItem, QWidget

from desktop.folder.confusion_view import ConfusionView
from desktop.folder.truth import Confusion
from desktop.names import label_name
from desktop.pictures.dropped_files import DroppedFile, Picture, load_picture
from desktop.pictures.thumbnail_list import ThumbnailList, set_tile
from desktop.prediction.worker import Worker
from desktop.widgets import DIALOG_MARGIN, column, create_buttons
from desktop.window.messages import format_percent
from service.inference.files import printable

# More pictures of one cell are on the folder page.
_MAX_SHOWN = 100
_PATH = Qt.ItemDataRole.UserRole


class ConfusionDialog(QDialog):
    """Shows accuracy and matrix; a click on a cell shows its pictures, a double click opens one.

    Attributes:
        view: The matrix.
        pictures: The pictures of the selected cell.

    Signals:
        picture_requested: A picture is to be opened, given by its path.
        save_requested: The matrix is to be saved, given as a QImage.
    """

    picture_requested = Signal(object)
    save_requested = Signal(object)

    def __init__(self, confusion: Confusion, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._confusion, self._folder = confusion, folder
        self.setWindowTitle(self.tr("Confusion matrix"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.view = ConfusionView(confusion, self)
        self.view.selected.connect(self._show_pictures)
        self.caption = QLabel(self.tr("Click a cell to see its pictures."), self)
        self.pictures = ThumbnailList(self)
        self.pictures.setAccessibleName(self.tr("Pictures of the cell"))
        self.pictures.itemActivated.connect(lambda item: self.picture_requested.emit(item.data(_PATH)))
        self._loader = Worker("thumbnails", self)
        self._loader.result_ready.connect(self._add_picture)
        self.finished.connect(self._loader.close)
        self._lay_out()

    def _show_pictures(self, truth: str, predicted: str) -> None:
        names = self._confusion.files.get((truth, predicted), ())
        text = self.tr("{0} predicted as {1}: {2}")
        self.caption.setText(text.format(label_name(truth), label_name(predicted), len(names)))
        self.pictures.clear()
        self._loader.cancel()
        self._loader.put(partial(_load, self._folder, names[:_MAX_SHOWN]))

    @Slot(object)
    def _add_picture(self, loaded: tuple[str, Picture]) -> None:
        name, picture = loaded
        path = self._folder / name
        item = QListWidgetItem()
        set_tile(item, printable(path.name), image=picture.thumbnail)
        item.setToolTip(printable(name))
        item.setData(_PATH, path)
        self.pictures.addItem(item)

    def _lay_out(self) -> None:
        confusion = self._confusion
        accuracy = self.tr("{0} of {1} pictures are classified correctly: {2}").format(
            confusion.correct, confusion.total, format_percent(confusion.correct / confusion.total)
        )
        axes = QLabel(self.tr("Rows: true labels. Columns: predicted labels."), self)
        buttons = create_buttons(self, QDialogButtonBox.StandardButton.Close)
        save = buttons.addButton(self.tr("&Save as PNG…"), QDialogButtonBox.ButtonRole.ActionRole)
        save.clicked.connect(lambda: self.save_requested.emit(self.view.image()))
        parts = (QLabel(accuracy, self), axes, (self.view, 1), self.caption, self.pictures, buttons)
        column(*parts, parent=self, margin=DIALOG_MARGIN, spacing=12)
        room = self.screen().availableGeometry().size() * 0.9
        self.resize(self.sizeHint().expandedTo(QSize(520, 0)).boundedTo(room))


def _load(folder: Path, names: tuple[str, ...]) -> Iterator[object]:
    for name in names:
        loaded = load_picture(DroppedFile(name, folder / name))
        if isinstance(loaded, Picture):
            yield name, loaded
