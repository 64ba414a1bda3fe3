"""Offers the sample pictures of a model as buttons."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.names import label_name
from desktop.pictures.dropped_files import DroppedFile
from desktop.widgets import row
from service.client import ModelSummary

SAMPLES = Path(__file__).parents[1] / "samples"
_SIDE = 40


def sample_folder(model: str) -> Path | None:
    """Return the folder with the samples of a model; None if there are none.

    A server chooses the names of its models, which therefore are no paths.
    """
    return next((folder for folder in SAMPLES.iterdir() if folder.name == model), None)


class SampleBar(QWidget):
    """A row of buttons, one for each sample.

    Signals:
        chosen: The DroppedFile of a sample.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[QToolButton] = []
        self._layout = QHBoxLayout()
        self._layout.setSpacing(0)
        row(QLabel(self.tr("Samples:"), self), self._layout, parent=self)

    def offer(self, model: ModelSummary | None) -> None:
        """Offer the samples of a model; none for None."""
        for button in self._buttons:
            self._layout.removeWidget(button)
            button.deleteLater()
        folder = None if model is None else sample_folder(model.name)
        paths = [] if folder is None else sorted(folder.glob("*.*"))
        labels = () if model is None else model.labels
        self._buttons = [self._button(path, _sample_name(path, labels)) for path in paths]
        for button in self._buttons:
            self._layout.addWidget(button)
        self.setVisible(bool(self._buttons))

    def _button(self, path: Path, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(QIcon(QPixmap(str(path)).scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio)))
        button.setIconSize(QSize(_SIDE, _SIDE))
        button.setAutoRaise(True)
        button.setToolTip(name)
        button.setAccessibleName(self.tr("Sample: {0}").format(name))
        button.clicked.connect(lambda: self.chosen.emit(DroppedFile(path.name, path)))
        return button


def _sample_name(path: Path, labels: Sequence[str]) -> str:
    """Return the name of a sample; one that begins with a label has it in the language of the window."""
    name = path.stem.replace("_", " ")
    label = next((label for label in labels if name.lower().startswith(label.lower())), "")
    return label_name(label) + name[len(label) :] if label else name
