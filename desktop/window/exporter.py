"""Copies and saves pictures, network inputs and results."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication, QImage, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from desktop.pictures.images import png_of_picture
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse
from desktop.window.actions import create_action
from desktop.window.export_formats import result_json, result_text
from service.inference.files import write_atomically


class Exporter(QObject):
    """Offers the actions to copy and to save; an action without content is disabled."""

    def __init__(
        self,
        window: QWidget,
        *,
        picture: Callable[[], QImage],
        network_input: Callable[[], QImage],
        response: Callable[[], PredictionResponse | None],
    ) -> None:
        """Make the actions.

        Args:
            window: Parent of the dialogs.
            picture: Returns the current picture; a null image if there is none.
            network_input: Returns the input of the network; a null image if there is none.
            response: Returns the current response; None if there is none.
        """
        super().__init__(window)
        self._window = window
        self._response = response
        keys = QKeySequence.StandardKey
        self.copy_picture = create_action(
            self, self.tr("&Copy picture"), lambda: self._copy_image(picture()), keys.Copy
        )
        self.copy_input = create_action(
            self, self.tr("Copy &network input"), lambda: self._copy_image(network_input())
        )
        self.copy_result = create_action(self, self.tr("Copy re&sult"), self._copy_result, "Ctrl+Shift+C")
        self.save_picture = create_action(
            self,
            self.tr("&Save picture…"),
            lambda: self.save_image(picture(), self.tr("drawing") + ".png"),
            keys.Save,
        )
        self.save_input = create_action(
            self,
            self.tr("Save &network input…"),
            lambda: self.save_image(network_input(), self.tr("network input") + ".png"),
        )
        self.save_result = create_action(self, self.tr("Save &result…"), self._save_result, "Ctrl+Shift+S")
        self._contents: list[tuple[Callable[[], bool], tuple[QAction, ...]]] = [
            (lambda: not picture().isNull(), (self.copy_picture, self.save_picture)),
            (lambda: not network_input().isNull(), (self.copy_input, self.save_input)),
            (lambda: response() is not None, (self.copy_result, self.save_result)),
        ]

    def follow(self, controller: PredictionController) -> None:
        """Enable the actions that have a content, now and whenever that changes."""
        for signal in (
            controller.page_changed,
            controller.edited,
            controller.response_changed,
            controller.outdated,
            controller.network_input_ready,
            controller.failed,
        ):
            signal.connect(self._enable_actions)
        self._enable_actions()

    @Slot()
    def _enable_actions(self) -> None:
        for exists, actions in self._contents:
            enabled = exists()
            for action in actions:
                action.setEnabled(enabled)

    def save_text(self, text: str, name: str) -> None:
        """Ask for a file name, and save a table as CSV."""
        self._save(name, self.tr("CSV (*.csv)"), lambda path: text.encode())

    def _copy_image(self, image: QImage) -> None:
        if not image.isNull():
            QGuiApplication.clipboard().setImage(image)

    def _copy_result(self) -> None:
        response = self._response()
        if response is not None:
            text = result_json(response.result)
            mime = QMimeData()
            mime.setText(text)
            mime.setData("application/json", text.encode())
            QGuiApplication.clipboard().setMimeData(mime)

    def save_image(self, image: QImage, name: str) -> None:
        """Ask for a file name, and save a picture as PNG; does nothing for a null image."""
        if not image.isNull():
            self._save(name, self.tr("PNG picture (*.png)"), lambda path: png_of_picture(image))

    def _save_result(self) -> None:
        response = self._response()
        if response is not None:
            result = response.result
            name = self.tr("result")
            filters = self.tr("JSON (*.json)") + ";;" + self.tr("CSV (*.csv)")
            self._save(f"{name}.json", filters, lambda path: result_text(result, name, path).encode())

    def _save(self, name: str, filters: str, content: Callable[[Path], bytes]) -> None:
        dialog = QFileDialog(self._window, self.tr("Save"), name, filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix[1:])
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_suffix(chosen)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self._write(Path(chosen), content))
        dialog.open()

    def _write(self, path: Path, content: Callable[[Path], bytes]) -> None:
        try:
            write_atomically(path, content(path))
        except OSError as error:
            text = self.tr("{0} cannot be written ({1}). Choose another folder.")
            box = QMessageBox(
                QMessageBox.Icon.Warning,
                self.tr("Not saved"),
                text.format(path, error.strerror),
                parent=self._window,
            )
            box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            box.open()


def _suffix(name_filter: str) -> str:
    """Return the suffix of a filter such as ``CSV (*.csv)``."""
    return name_filter.rpartition(".")[2].rstrip(")")
