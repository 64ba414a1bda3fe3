"""Owns the request what a drawing really is, for those that were misread."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.prediction.corrections import save_correction
from desktop.theme import without_icons


class Correction(QDialog):
    """Asks for the true label, and saves the drawing with it in a folder."""

    def __init__(
        self, picture: bytes, labels: tuple[str, ...], folder: str, parent: QWidget | None = None
    ) -> None:
        """Ask about a drawing.

        Args:
            picture: The drawing, as a PNG file.
            labels: What it can be.
            folder: Where to save it; empty for a folder among the user's documents.
            parent: The window.
        """
        super().__init__(parent)
        self._picture = picture
        self.setWindowTitle(self.tr("Wrong? Tell me"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.label = QComboBox(self)
        self.label.addItems(list(labels))
        self.folder = QLineEdit(folder or _usual_folder(), self)
        self.folder.setMinimumWidth(320)
        self.browse = QPushButton(self.tr("&Choose…"), self)
        self.browse.clicked.connect(self._choose)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.hide()
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Save | kinds.Cancel, self)
        self.buttons.accepted.connect(self.accept)
        without_icons(self.buttons)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()

    def accept(self) -> None:
        """Save, and close if that went well."""
        folder = Path(self.folder.text().strip() or _usual_folder())
        try:
            save_correction(folder, self.label.currentText(), self._picture)
        except OSError as error:
            words = self.tr("{0} cannot be written ({1}). Choose another place.").format(
                folder, error.strerror
            )
            self.problem.setText(words)
            self.problem.show()
            return
        super().accept()

    def _choose(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    def _lay_out(self) -> None:
        words = QLabel(self.tr("The drawing is kept on this computer, to train a better network with."), self)
        words.setWordWrap(True)
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self.browse)
        form = QFormLayout()
        form.setSpacing(12)
        form.addRow(self.tr("It &is"), self.label)
        name = QLabel(self.tr("&Folder"), self)
        name.setBuddy(self.folder)
        form.addRow(name, where)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(16)
        column.addWidget(words)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)


def _usual_folder() -> str:
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return str(Path(documents) / "Lectern corrections")
