"""The form of a new model: its name, the network whose features it uses, and whether it keeps the labels."""

import re
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QWidget

from desktop.names import model_name
from desktop.teach.teacher import keeps_labels
from desktop.widgets import caption, create_combo
from service.inference import Card

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}")
_DEFAULT_NAME = "my-model"


class ModelForm(QWidget):
    """Names the new model and its base.

    Signals:
        name_changed: Another name, and so another set of examples.
        base_changed: Another base.
    """

    name_changed = Signal()
    base_changed = Signal()

    def __init__(self, sets: Path, parent: QWidget | None = None) -> None:
        """Offer the names of the sets of examples.

        Args:
            sets: Folder with one folder for each set; it need not exist.
            parent: Parent widget.
        """
        super().__init__(parent)
        self._sets = sets
        self._chosen = False
        self._drawn = True
        self.name = QComboBox(self)
        name = QLineEdit(self)
        name.setAccessibleName(self.tr("Name of the model"))
        self.name.setLineEdit(name)
        names = sorted(path.name for path in sets.iterdir()) if sets.is_dir() else []
        self.name.addItems(names or [_DEFAULT_NAME])
        self.bases = create_combo("", parent=self)
        self.keep = QCheckBox(self.tr("&Keep its labels, and correct or add to them"), self)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(caption(self.tr("&Name"), self.name), self.name)
        form.addRow(caption(self.tr("Features &of"), self.bases), self.bases)
        form.addRow("", self.keep)
        self._follow_base()
        self.name.editTextChanged.connect(self.name_changed)
        self.bases.currentIndexChanged.connect(self._follow_base)
        self.bases.activated.connect(self._note_choice)

    @property
    def model_name(self) -> str:
        """The name of the new model; empty while it is none."""
        name = self.name.currentText().strip()
        return name if _NAME.fullmatch(name) else ""

    @property
    def folder(self) -> Path:
        """The folder of the examples."""
        return self._sets / (self.model_name or _DEFAULT_NAME)

    @property
    def base(self) -> Card | None:
        """The card of the base; None while there is none."""
        card = self.bases.currentData()
        return card if isinstance(card, Card) else None

    def offer_bases(self, cards: tuple[Card, ...]) -> None:
        """Offer the models whose features can be used."""
        before = self.base
        with QSignalBlocker(self.bases):
            self.bases.clear()
            for card in cards:
                text = self.tr("{0}, version {1}").format(model_name(card.title), card.version)
                self.bases.addItem(text, card)
            same = [
                before is not None and (card.name, card.version) == (before.name, before.version)
                for card in cards
            ]
            self.bases.setCurrentIndex(same.index(True) if True in same else -1)
        if self.base is None:
            self._suit()
        self._follow_base()

    def suit(self, *, drawn: bool) -> None:
        """Choose a base for drawings or for photos, unless the user has chosen one."""
        self._drawn = drawn
        if not self._chosen:
            self._suit()

    def _suit(self) -> None:
        cards: list[Card] = [self.bases.itemData(index) for index in range(self.bases.count())]
        if self._drawn:
            suits = [card.input.preprocessing == "digit" for card in cards]
            self.bases.setCurrentIndex(suits.index(True) if True in suits else 0)
        elif cards:
            # Of the networks for photos, the one that sees most of them has the best features.
            sizes = [card.input.shape[1] for card in cards]
            self.bases.setCurrentIndex(sizes.index(max(sizes)))

    def _note_choice(self) -> None:
        self._chosen = True

    def _follow_base(self) -> None:
        keeps = self.base is not None and keeps_labels(self.base)
        self.keep.setEnabled(keeps)
        if not keeps:
            self.keep.setChecked(False)
        self.base_changed.emit()
