"""Lists the examples of each label as tiles."""

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSizePolicy, QWidget

from desktop.names import label_name
from desktop.pictures.thumbnail_list import ThumbnailList, set_tile
from desktop.teach.lesson import Example
from desktop.widgets import row
from desktop.window.actions import create_action

_SHOWN_TILES = 200
_DATA = Qt.ItemDataRole.UserRole
_LABELS_WIDTH = 180


class ExampleList(QWidget):
    """The labels with their numbers of examples, and the examples of the selected label.

    Signals:
        remove_requested: The user wants to remove an Example.
    """

    remove_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._examples: tuple[Example, ...] = ()
        self.labels = QListWidget(self)
        self.labels.setAccessibleName(self.tr("Labels"))
        self.labels.setMaximumWidth(_LABELS_WIDTH)
        self.labels.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.tiles = ThumbnailList(self)
        self.tiles.setAccessibleName(self.tr("Examples"))
        self.remove = create_action(self, self.tr("&Remove"), self._remove, QKeySequence.StandardKey.Delete)
        self.tiles.addAction(self.remove)
        self.labels.currentRowChanged.connect(self._show_tiles)
        layout = row(self.labels, (self.tiles, 1), parent=self)
        layout.setAlignment(self.tiles, Qt.AlignmentFlag.AlignTop)

    @property
    def label(self) -> str:
        """The selected label; empty if there is none."""
        item = self.labels.currentItem()
        return "" if item is None else str(item.data(_DATA))

    def show_examples(self, examples: Sequence[Example], *, label: str = "") -> None:
        """Show examples.

        Args:
            examples: The examples of all labels.
            label: The label to select; the one of before if it is empty.
        """
        self._examples = tuple(examples)
        counts = Counter(example.label for example in self._examples)
        wanted = label or self.label
        with QSignalBlocker(self.labels):
            self.labels.clear()
            for name, count in counts.items():
                item = QListWidgetItem(f"{label_name(name)} · {count}")
                item.setData(_DATA, name)
                self.labels.addItem(item)
            names = list(counts)
            self.labels.setCurrentRow(names.index(wanted) if wanted in counts else min(len(names), 1) - 1)
        self.remove.setEnabled(bool(self._examples))
        self._show_tiles()

    def _show_tiles(self) -> None:
        """Show the newest examples of the selected label; those that are shown already stay."""
        shown = [example for example in self._examples if example.label == self.label][-_SHOWN_TILES:]
        present: list[Example] = [self.tiles.item(at).data(_DATA) for at in range(self.tiles.count())]
        for at in reversed(range(len(present))):
            if present[at] not in shown:
                self.tiles.takeItem(at)
                del present[at]
        if present != shown[: len(present)]:
            self.tiles.clear()
            present = []
        for example in shown[len(present) :]:
            item = QListWidgetItem()
            item.setData(_DATA, example)
            set_tile(item, "", image=QImage(str(example.path)))
            self.tiles.addItem(item)

    def _remove(self) -> None:
        item = self.tiles.currentItem()
        if item is not None and self.tiles.hasFocus():
            self.remove_requested.emit(item.data(_DATA))
