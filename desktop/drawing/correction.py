"""Saves misclassified drawings under their true label."""

import hashlib
import os
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from desktop.drawing.label_buttons import LabelButtons
from desktop.settings import SettingsStore
from desktop.widgets import DIALOG_MARGIN, caption, column, create_buttons, open_file_dialog, row
from service.inference.files import write_atomically


def save_correction(folder: Path, label: str, picture: bytes) -> Path:
    """Save a drawing as ``<folder>/<label>/<checksum>.png``, so that the same drawing is saved only once.

    Args:
        folder: Created if it does not exist.
        label: The true label.
        picture: The bytes of a PNG file.

    Returns:
        The path of the file.

    Raises:
        OSError: The folder cannot be created or written.
    """
    # A label such as "T-shirt/top" must not become two folders.
    target = folder / label.replace("/", "_")
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{hashlib.sha256(picture).hexdigest()[:16]}.png"
    write_atomically(path, picture)
    return path


def corrections_folder(store: SettingsStore) -> Path:
    """Return the folder of the corrections."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(store.settings.corrections or Path(documents) / "Lectern corrections")


class CorrectionDialog(QDialog):
    """Asks for the true label of a drawing, and saves the drawing for training."""

    def __init__(
        self, picture: bytes, labels: tuple[str, ...], store: SettingsStore, parent: QWidget | None = None
    ) -> None:
        """Prepare the dialog.

        Args:
            picture: The drawing, as a PNG file.
            labels: The labels to choose from, the most likely ones first.
            store: Holds the folder of the corrections; an empty one means the default folder.
            parent: The window.
        """
        super().__init__(parent)
        self._picture = picture
        self._store = store
        self.setWindowTitle(self.tr("Correct the label"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.label = LabelButtons(labels, self)
        self.folder = QLineEdit(str(corrections_folder(store)), self)
        self.folder.setMinimumWidth(320)
        self.browse = QPushButton(self.tr("&Choose…"), self)
        self.browse.clicked.connect(self._browse)
        self.error = QLabel(self)
        self.error.setWordWrap(True)
        self.error.hide()
        kinds = QDialogButtonBox.StandardButton
        self.buttons = create_buttons(self, kinds.Save | kinds.Cancel)
        self._lay_out()

    def accept(self) -> None:
        """Save the drawing and close; show an error if the folder cannot be written."""
        entered = self.folder.text().strip()
        folder = Path(os.path.expanduser(entered)) if entered else corrections_folder(self._store)  # noqa: PTH111
        folder = folder.absolute()  # the next start may have another working directory
        try:
            save_correction(folder, self.label.label, self._picture)
        except OSError as error:
            text = self.tr("{0} cannot be written ({1}). Choose another folder.")
            self.error.setText(text.format(folder, error.strerror))
            self.error.show()
            return
        self._store.update(corrections=str(folder) if entered else "")
        super().accept()

    def _browse(self) -> None:
        open_file_dialog(
            self,
            self.tr("Choose a folder"),
            QFileDialog.FileMode.Directory,
            lambda names: self.folder.setText(names[0]),
            folder=self.folder.text(),
        )

    def _lay_out(self) -> None:
        note = QLabel(self.tr("The drawing is saved on this computer, to train a better network."), self)
        note.setWordWrap(True)
        form = QFormLayout()
        form.setSpacing(12)
        form.addRow(self.tr("Correct label"), self.label)
        form.addRow(caption(self.tr("&Folder"), self.folder), row((self.folder, 1), self.browse))
        column(note, form, self.error, self.buttons, parent=self, margin=DIALOG_MARGIN, spacing=16)
