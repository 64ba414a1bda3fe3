"""The page *Teach*: a model of the user's own from a few examples."""

import re
from collections import Counter
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QWidget,
)

from desktop.drawing.correction import corrections_folder
from desktop.drawing.pad import Pad
from desktop.flow_layout import FlowLayout
from desktop.names import label_name, model_name
from desktop.pictures.images import png_of_drawing
from desktop.pictures.thumbnail_list import ThumbnailList, set_tile
from desktop.prediction.worker import Worker
from desktop.settings import SettingsStore
from desktop.teach.example_set import MAX_EXAMPLES, ExampleSet, clean_label
from desktop.teach.lesson import Example, Lesson
from desktop.teach.teacher import Taught, Teacher, keeps_labels
from desktop.widgets import PAGE_MARGIN, caption, column, create_combo, open_file_dialog, row
from desktop.window.actions import create_action
from desktop.window.messages import announce, error_message, format_percent
from service.inference import Card, LecternError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}")
_DEFAULT_NAME = "my-model"
_SHOWN_TILES = 200


class TeachPage(QWidget):
    """Collects examples, teaches the last layer of a model, and offers the result as a model.

    Attributes:
        title: Title of the tab.

    Signals:
        model_made: A model was made; carries its name.
    """

    model_made = Signal(str)

    def __init__(
        self, data: Path, teacher: Teacher, store: SettingsStore, parent: QWidget | None = None
    ) -> None:
        """Build the page.

        Args:
            data: Folder of the app's data, in which ``examples/`` is.
            teacher: Teaches.
            store: Holds the folder of the corrections.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Teach")
        self._folder, self._teacher, self._store = data / "examples", teacher, store
        self._examples: tuple[Example, ...] = ()
        self._taught = ""
        self.name = QComboBox(self)
        name = QLineEdit(self)
        name.setAccessibleName(self.tr("Name of the model"))
        self.name.setLineEdit(name)
        self.bases = create_combo("", parent=self)
        self.keep = QCheckBox(self.tr("&Keep its labels, and correct or add to them"), self)
        self.pad = Pad(self)
        self.pad.hint = self.tr("Draw an example")
        self.label = QLineEdit(self)
        self.label.setPlaceholderText(self.tr("Label, such as A"))
        self.add = QPushButton(self.tr("&Add the drawing"), self)
        self.labels = QListWidget(self)
        self.tiles = ThumbnailList(self)
        self.open = QPushButton(self.tr("Add a &folder…"), self)
        self.corrections = QPushButton(self.tr("Add the &corrections"), self)
        self.remove = create_action(self, self.tr("&Remove"), self._remove, QKeySequence.StandardKey.Delete)
        self.teach = QPushButton(self.tr("&Teach"), self)
        self.use = QPushButton(self.tr("Use &it"), self)
        self.progress = QProgressBar(self)
        self.status = QLabel(self)
        self._importer = Worker("import", self)
        self._importer.result_ready.connect(self._count)
        self._importer.failed.connect(self._show_error)
        self._importer.finished.connect(self._refresh)
        self._worker = Worker("teach", self)
        self._worker.result_ready.connect(self._show_result)
        self._worker.failed.connect(self._show_error)
        self._lister = Worker("bases", self)
        self._lister.result_ready.connect(self._offer_bases)
        self._lay_out()
        self._connect()
        self._offer_names()
        self._refresh()

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of the set."""
        return self._examples

    def showEvent(self, event: QShowEvent) -> None:
        """List the models whose features can be used."""
        super().showEvent(event)
        self._lister.call(self._teacher.bases)

    def add_drawing(self) -> None:
        """Keep the drawing under the label of the field, and clear the pad for the next one."""
        label = clean_label(self.label.text())
        if self.pad.is_blank or not label or len(self._examples) >= MAX_EXAMPLES:
            return
        try:
            self._set.add(label, png_of_drawing(self.pad.picture))
        except OSError as error:
            self.status.setText(self._unwritable(error))
            return
        self.pad.clear()
        self._refresh()
        self._select(label)

    def add_folder(self, folder: Path) -> None:
        """Keep the pictures of a folder, whose subfolders are named after labels."""
        self.status.setText(self.tr("Reading pictures…"))
        self._importer.put(lambda: self._set.add_folder(folder))

    def teach_model(self) -> None:
        """Teach the last layer of the chosen model."""
        base: Card | None = self.bases.currentData()
        name = self.name.currentText().strip()
        if base is None:
            return
        if not _NAME.fullmatch(name):
            self.status.setText(
                self.tr("A name has letters, digits, -, _ and . alone, and begins with a letter or digit.")
            )
            return
        lesson = Lesson(
            name=name,
            base=base.name,
            version=base.version,
            examples=self._examples,
            keep_labels=self.keep.isChecked(),
        )
        self._taught = ""
        self.progress.setRange(0, max(len(self._examples), 1))
        self.progress.setValue(0)
        self._show_state(self.tr("Teaching…"), busy=True)
        self._worker.put(lambda: self._teacher.teach(lesson))

    @property
    def _set(self) -> ExampleSet:
        name = self.name.currentText().strip()
        return ExampleSet(self._folder / (name if _NAME.fullmatch(name) else _DEFAULT_NAME))

    @Slot(object)
    def _show_result(self, result: object) -> None:
        if not isinstance(result, Taught):
            self.progress.setValue(int(str(result)))
            return
        card = result.card
        metrics = card.metrics
        assert metrics is not None, "only classifiers are taught"
        self._taught = card.name
        text = self.tr("{0} {1} is a model now. {2} of {3} examples are right in a cross-validation. {4} s")
        seconds = self.locale().toString(result.seconds, "f", 1)
        text = text.format(card.name, card.version, format_percent(metrics.accuracy), metrics.count, seconds)
        if result.skipped:
            text += " " + self.tr("{0} examples could not be read.").format(result.skipped)
        self._show_state(text)
        announce(self, text)

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self._show_state(error_message(error))

    @Slot(object)
    def _count(self, count: int) -> None:
        self.status.setText(self.tr("{0} pictures").format(count))

    @Slot(object)
    def _offer_bases(self, cards: tuple[Card, ...]) -> None:
        chosen = self.bases.currentText()
        with QSignalBlocker(self.bases):
            self.bases.clear()
            for card in cards:
                text = self.tr("{0}, version {1}").format(model_name(card.title), card.version)
                self.bases.addItem(text, card)
            preferred = next((i for i, card in enumerate(cards) if card.input.preprocessing == "digit"), 0)
            found = self.bases.findText(chosen)
            self.bases.setCurrentIndex(found if found >= 0 else preferred)
        self._show_state(self.status.text())

    def _offer_names(self) -> None:
        sets = sorted(path.name for path in self._folder.iterdir()) if self._folder.is_dir() else []
        with QSignalBlocker(self.name):
            self.name.addItems(sets or [_DEFAULT_NAME])

    def _refresh(self) -> None:
        """Show the examples of the set."""
        self._examples = self._set.examples()
        counts = Counter(example.label for example in self._examples)
        chosen = self._chosen
        with QSignalBlocker(self.labels):
            self.labels.clear()
            for label, count in counts.items():
                item = QListWidgetItem(f"{label_name(label)} · {count}")
                item.setData(Qt.ItemDataRole.UserRole, label)
                self.labels.addItem(item)
        self._select(chosen if chosen in counts else next(iter(counts), ""))
        self._show_state("")

    @property
    def _chosen(self) -> str:
        item = self.labels.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def _select(self, label: str) -> None:
        for number in range(self.labels.count()):
            if self.labels.item(number).data(Qt.ItemDataRole.UserRole) == label:
                self.labels.setCurrentRow(number)
        self._show_tiles()

    def _show_tiles(self) -> None:
        self.tiles.clear()
        shown = [example for example in self._examples if example.label == self._chosen][-_SHOWN_TILES:]
        for example in shown:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, example)
            set_tile(item, "", image=QImage(str(example.path)))
            self.tiles.addItem(item)

    def _remove(self) -> None:
        """Delete the selected example."""
        item = self.tiles.currentItem()
        if item is not None and self.tiles.hasFocus():
            self._set.remove(item.data(Qt.ItemDataRole.UserRole))
            self._refresh()

    def _show_state(self, status: str, *, busy: bool = False) -> None:
        self.status.setText(status)
        self.progress.setVisible(busy)
        base: Card | None = self.bases.currentData()
        self.keep.setEnabled(base is not None and keeps_labels(base))
        if not self.keep.isEnabled():
            self.keep.setChecked(False)
        self.corrections.setEnabled(self.keep.isEnabled())
        self.teach.setEnabled(not busy and bool(self._examples) and self.bases.count() > 0)
        self.use.setEnabled(not busy and bool(self._taught))
        self.remove.setEnabled(bool(self._examples))

    def _unwritable(self, error: OSError) -> str:
        text = self.tr("{0} cannot be written ({1}). Check its permissions.")
        return text.format(self._set.folder, error.strerror)

    def _add_corrections(self) -> None:
        self.keep.setChecked(True)
        self.add_folder(corrections_folder(self._store))

    def _ask_for_folder(self) -> None:
        title = self.tr("Choose a folder with one subfolder for each label")
        open_file_dialog(
            self, title, QFileDialog.FileMode.Directory, lambda names: self.add_folder(Path(names[0]))
        )

    def _connect(self) -> None:
        self.add.clicked.connect(self.add_drawing)
        self.label.returnPressed.connect(self.add_drawing)
        self.open.clicked.connect(self._ask_for_folder)
        self.corrections.clicked.connect(self._add_corrections)
        self.teach.clicked.connect(self.teach_model)
        self.use.clicked.connect(lambda: self.model_made.emit(self._taught))
        self.labels.currentRowChanged.connect(self._show_tiles)
        self.bases.currentIndexChanged.connect(lambda: self._show_state(self.status.text()))
        self.name.editTextChanged.connect(self._refresh)

    def _lay_out(self) -> None:
        self.labels.setAccessibleName(self.tr("Labels"))
        self.labels.setMaximumWidth(180)
        self.tiles.setAccessibleName(self.tr("Examples"))
        self.tiles.addAction(self.remove)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.status.setWordWrap(True)
        form = QFormLayout()
        form.addRow(caption(self.tr("&Name"), self.name), self.name)
        form.addRow(caption(self.tr("Features &of"), self.bases), self.bases)
        form.addRow("", self.keep)
        draw = column((self.pad, 1), row(caption(self.tr("&Label"), self.label), (self.label, 1), self.add))
        sources, ends = QWidget(self), QWidget(self)
        FlowLayout(sources, (self.open, self.corrections))
        FlowLayout(ends, (self.teach, self.use))
        hint = QLabel(
            self.tr(
                "Draw or open a few examples of each label. The network keeps its layers; only the last one "
                "learns. It takes seconds, on this computer."
            ),
            self,
        )
        hint.setWordWrap(True)
        examples = row(self.labels, (self.tiles, 1))
        examples.setAlignment(self.tiles, Qt.AlignmentFlag.AlignTop)
        right = column(
            hint, form, sources, examples, ends, self.progress, self.status, None,
            spacing=12,
        )  # fmt: skip
        row((draw, 1), (right, 1), parent=self, margin=PAGE_MARGIN, spacing=16)
