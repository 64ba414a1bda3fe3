"""A button for each label, one of which is chosen."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QButtonGroup, QGridLayout, QPushButton, QWidget

from desktop.names import label_name

_COLUMNS = 5


class LabelButtons(QWidget):
    """Offers labels, the first of which is chosen at the beginning.

    Attributes:
        buttons: The button of each label.
    """

    def __init__(self, labels: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for number, label in enumerate(labels):
            button = QPushButton(label_name(label), self)
            button.setCheckable(True)
            # Enter saves; the space bar and the arrow keys choose.
            button.setAutoDefault(False)
            button.toggled.connect(partial(_mark, button))
            button.setChecked(number == 0)
            if len(label) == 1:
                button.setShortcut(label)
            self._group.addButton(button)
            self.buttons[label] = button
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if labels:
            self.setFocusProxy(self.buttons[labels[0]])

    @property
    def label(self) -> str:
        """The chosen label."""
        return next(label for label, button in self.buttons.items() if button.isChecked())


def _mark(button: QPushButton, chosen: bool) -> None:
    """Paint a chosen button in the accent colour, because some styles hardly mark it."""
    colors = QPalette(QApplication.palette())
    if chosen:
        colors.setColor(QPalette.ColorRole.Button, colors.highlight().color())
        colors.setColor(QPalette.ColorRole.ButtonText, colors.highlightedText().color())
    button.setPalette(colors)
