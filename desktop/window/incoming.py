"""Takes what is dropped or pasted, and gives it to the page that handles it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QGuiApplication, QKeySequence

from desktop.folder.page import FolderPage
from desktop.lab.page import LabPage
from desktop.pictures.dropped_files import DroppedFile, DroppedItems, dropped_items
from desktop.pictures.page import PicturesPage
from desktop.text.page import TEXT_SUFFIXES, TextPage
from desktop.window.actions import create_action
from desktop.window.tabs import Tabs
from service.inference.folders import is_wanted
from service.inference.preprocessing import PICTURE_SUFFIXES


class Incoming(QObject):
    """Gives folders, pictures and texts to their pages; pictures stay in the lab while that is shown.

    A page takes files of one kind: folders come before pictures, and pictures before texts. The page says
    which files are left out.

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
        others = [file for file in items.files if not self._is_text(file)]
        if items.folders:
            self._classify(items)
        elif texts and not any(_is_picture(file) for file in others):
            self._text.load(*texts, *others)
        elif items.files and self._lab.isVisible():
            self._lab.open_picture(*sorted(items.files, key=_is_picture, reverse=True))
        elif mime.hasText() and not items.files and not items.remote and self._text.isVisible():
            self._text.editor.insertPlainText(mime.text())
        else:
            self._pictures.add(replace(items, files=tuple(others)), left_out=[file.name for file in texts])

    def _classify(self, items: DroppedItems) -> None:
        """Classify folders, and the pictures beside them."""
        paths = [file.content for file in items.files if isinstance(file.content, Path)]
        pictures = [path for path in paths if is_wanted(str(path), PICTURE_SUFFIXES)]
        left_out = [path.name for path in paths if path not in pictures]
        self._tabs.setCurrentWidget(self._folder)
        self._folder.classify(*items.folders, *pictures, left_out=left_out)

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


def _is_picture(file: DroppedFile) -> bool:
    """Return whether something is a picture, by the name of its file if it is one."""
    return not isinstance(file.content, Path) or _has_suffix(file, PICTURE_SUFFIXES)


def _has_suffix(file: DroppedFile, suffixes: Sequence[str]) -> bool:
    return file.name.lower().endswith(tuple(suffixes))
