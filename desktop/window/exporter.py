"""Owns copying and saving what the window shows."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from desktop.pictures.images import png_of_picture
from desktop.prediction.backends import PredictionResult
from desktop.window.export_formats import as_json, as_text
from service.inference.files import write_atomically


class Exporter(QObject):
    """Copies to the clipboard and saves to files; asks where without blocking the window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window

    def copy_picture(self, picture: QImage) -> None:
        """Put a picture on the clipboard."""
        QGuiApplication.clipboard().setImage(picture)

    def copy_reading(self, reading: PredictionResult) -> None:
        """Put a result on the clipboard, as JSON."""
        mime = QMimeData()
        text = as_json(reading)
        mime.setText(text)
        mime.setData("application/json", text.encode())
        QGuiApplication.clipboard().setMimeData(mime)

    def save_picture(self, picture: QImage, name: str) -> None:
        """Ask for a file's name and save a picture as PNG."""
        self._ask(name, self.tr("PNG picture (*.png)"), lambda path: png_of_picture(picture))

    def save_reading(self, reading: PredictionResult, name: str) -> None:
        """Ask for a file's name and save a result as JSON or as a row of CSV."""
        filters = self.tr("JSON (*.json)") + ";;" + self.tr("CSV (*.csv)")
        self._ask(f"{name}.json", filters, lambda path: as_text(reading, name, path).encode())

    def save_text(self, text: str, name: str) -> None:
        """Ask for a file's name and save a table as CSV."""
        self._ask(name, self.tr("CSV (*.csv)"), lambda path: text.encode())

    def _ask(self, name: str, filters: str, content: Callable[[Path], bytes]) -> None:
        dialog = QFileDialog(self._window, self.tr("Save"), name, filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix[1:])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self._save(Path(chosen), content))
        dialog.open()

    def _save(self, path: Path, content: Callable[[Path], bytes]) -> None:
        try:
            write_atomically(path, content(path))
        except OSError as error:
            words = self.tr("{0} cannot be written ({1}). Choose another place.").format(path, error.strerror)
            box = QMessageBox(QMessageBox.Icon.Warning, self.tr("Not saved"), words, parent=self._window)
            box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            box.open()
