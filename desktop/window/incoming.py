"""Takes what is dropped or pasted, and gives it to the page that handles it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QGuiApplication, QKeySequence

from desktop.folder.page import FolderPage
from desktop.lab.page import LabPage
from desktop.pictures.dropped_files import DroppedFile, dropped_items
from desktop.pictures.page import PicturesPage
from desktop.text.page import TEXT_SUFFIXES, TextPage
from desktop.window.actions import create_action
from desktop.window.tabs import Tabs
from service.inference.preprocessing import PICTURE_SUFFIXES


class Incoming(QObject):
    """Gives folders, pictures and texts to their pages; pictures stay in the lab while that is shown.

    Attributes:
        paste: The action that takes the contents of the clipboard.
    """

    def __init__(
        self,
        tabs: Tabs,
        *,
        pictures: PicturesPage,
        text: TextPage,
        folder: FolderPage,
        lab: LabPage,
    ) -> None:
        super().__init__(tabs)
        self._tabs, self._pictures, self._text, self._folder, self._lab = tabs, pictures, text, folder, lab
        self.paste = create_action(self, self.tr("&Paste"), self._paste, QKeySequence.StandardKey.Paste)
        pictures.paste_requested.connect(self._paste)
        text.editor.files_received.connect(self.take)

    def take(self, mime: QMimeData) -> None:
        """Take what was dropped, or the contents of the clipboard."""
        items = dropped_items(mime)
        texts = [file for file in items.files if self._is_text(file)]
        if items.folders:
            self._tabs.setCurrentWidget(self._folder)
            self._folder.classify(*items.folders, *_picture_paths(items.files))
        elif texts:
            self._text.load(*texts)
        elif items.files and self._lab.isVisible():
            self._lab.open_picture(items.files[0])
        elif mime.hasText() and not items.files and not items.remote and self._text.isVisible():
            self._text.editor.insertPlainText(mime.text())
        else:
            self._pictures.add(items)

    def _paste(self) -> None:
        # Some platforms have no data for an empty clipboard, whatever the stubs of Qt say.
        self.take(QGuiApplication.clipboard().mimeData() or QMimeData())

    def _is_text(self, file: DroppedFile) -> bool:
        """Return whether a file is a text, by its name; on the page of texts, any but a picture is one."""
        if not isinstance(file.content, Path):
            return False
        return _has_suffix(file, TEXT_SUFFIXES) or (
            self._text.isVisible() and not _has_suffix(file, PICTURE_SUFFIXES)
        )


def _picture_paths(files: Iterable[DroppedFile]) -> Iterator[Path]:
    for file in files:
        if isinstance(file.content, Path) and _has_suffix(file, PICTURE_SUFFIXES):
            yield file.content


def _has_suffix(file: DroppedFile, suffixes: Sequence[str]) -> bool:
    return file.name.lower().endswith(tuple(suffixes))
