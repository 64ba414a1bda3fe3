"""The page *Teach*: a model of the user's own from a few examples."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QProgressBar, QPushButton, QWidget

from desktop.drawing.correction import corrections_folder
from desktop.flow_layout import FlowLayout
from desktop.prediction.worker import Worker
from desktop.settings import SettingsStore
from desktop.teach.example_input import ExampleInput
from desktop.teach.example_list import ExampleList
from desktop.teach.example_set import MAX_EXAMPLES, ExampleSet
from desktop.teach.lesson import Example, Lesson
from desktop.teach.model_form import ModelForm
from desktop.teach.teacher import Taught, Teacher
from desktop.widgets import PAGE_MARGIN, column, open_file_dialog, row
from desktop.window.messages import announce, error_message, format_percent
from service.inference import LecternError
from service.inference.files import output_error


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
        self._teacher, self._store = teacher, store
        self._examples: tuple[Example, ...] = ()
        self._taught = ""
        self._read = 0
        self._is_teaching = self._is_importing = False
        self.form = ModelForm(data / "examples", self)
        self.input = ExampleInput(self)
        self.list = ExampleList(self)
        self.open = QPushButton(self.tr("Add a &folder…"), self)
        self.corrections = QPushButton(self.tr("Add the &corrections"), self)
        self.teach = QPushButton(self.tr("&Teach"), self)
        self.use = QPushButton(self.tr("Use &it"), self)
        self.progress = QProgressBar(self)
        self.status = QLabel(self)
        self._importer = Worker("import", self)
        self._worker = Worker("teach", self)
        self._lister = Worker("bases", self)
        self._lay_out()
        self._connect()
        self._refresh()

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of the set."""
        return self._examples

    def showEvent(self, event: QShowEvent) -> None:
        """List the models whose features can be used."""
        super().showEvent(event)
        self._lister.call(self._teacher.bases)

    def add_folder(self, folder: Path) -> None:
        """Keep the pictures of a folder, whose subfolders are named after labels."""
        self._read = 0
        self._is_importing = True
        self._show_state(self.tr("Reading pictures…"))
        self._importer.put(partial(self._set.add_folder, folder))

    def teach_model(self) -> None:
        """Teach the last layer of the chosen model."""
        base, name = self.form.base, self.form.model_name
        if base is None:
            return
        if not name:
            self.status.setText(
                self.tr("A name has letters, digits, -, _ and . alone, and begins with a letter or digit.")
            )
            return
        lesson = Lesson(
            name=name,
            base=base.name,
            version=base.version,
            examples=self._examples,
            keep_labels=self.form.keep.isChecked(),
        )
        self._taught = ""
        self.progress.setRange(0, max(len(self._examples), 1))
        self.progress.setValue(0)
        self._is_teaching = True
        self._show_state(self.tr("Teaching…"))
        self._worker.put(lambda: self._teacher.teach(lesson))

    @property
    def _set(self) -> ExampleSet:
        return ExampleSet(self.form.folder)

    @Slot(str, bytes)
    def _keep(self, label: str, data: bytes) -> None:
        """Keep an example, and clear the pad for the next one."""
        if len(self._examples) >= MAX_EXAMPLES:
            text = self.tr("There are {0} examples, and no more are kept. Remove some first.")
            self.status.setText(text.format(self.locale().toString(MAX_EXAMPLES)))
            return
        try:
            self._set.add(label, data)
        except OSError as error:
            text = self.tr("{0} cannot be written ({1}). Check its permissions.")
            self.status.setText(text.format(self.form.folder, error.strerror))
            return
        self.input.pad.clear()
        self._refresh(label)

    @Slot(object)
    def _remove(self, example: Example) -> None:
        try:
            self._set.remove(example)
        except OSError as error:
            self.status.setText(str(output_error(error)))
        else:
            self._refresh()

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

    @Slot()
    def _end_teaching(self) -> None:
        self._is_teaching = False
        self._show_state(self.status.text())

    @Slot(object)
    def _show_import_error(self, error: LecternError) -> None:
        self._refresh()
        self._show_state(error_message(error))

    @Slot(object)
    def _count(self, count: int) -> None:
        self._read = count
        self.status.setText(self.tr("{0} pictures").format(count))

    @Slot()
    def _show_imported(self) -> None:
        self._refresh()
        text = self.tr("The subfolders of this folder have no pictures. Name one subfolder after each label.")
        self.status.setText(self.tr("{0} pictures").format(self._read) if self._read else text)

    @Slot()
    def _end_import(self) -> None:
        self._is_importing = False
        self._show_state(self.status.text())

    def _refresh(self, label: str = "") -> None:
        """Show the examples of the set, those of a label if one is given."""
        self._examples = self._set.examples()
        self.list.show_examples(self._examples, label=label)
        self._show_state(self.status.text() if self._is_teaching else "")

    def _suit_photos(self) -> None:
        """Choose a base for photos with the first picture of the webcam."""
        if not self._examples:
            self.form.suit(drawn=False)

    def _show_state(self, status: str) -> None:
        self.status.setText(status)
        self.progress.setVisible(self._is_teaching)
        self.open.setEnabled(not self._is_importing)
        self.corrections.setEnabled(not self._is_importing and self.form.keep.isEnabled())
        self.teach.setEnabled(not self._is_teaching and bool(self._examples) and self.form.base is not None)
        self.use.setEnabled(not self._is_teaching and bool(self._taught))

    def _add_corrections(self) -> None:
        self.form.keep.setChecked(True)
        self.add_folder(corrections_folder(self._store))

    def _ask_for_folder(self) -> None:
        title = self.tr("Choose a folder with one subfolder for each label")
        open_file_dialog(
            self, title, QFileDialog.FileMode.Directory, lambda names: self.add_folder(Path(names[0]))
        )

    def _connect(self) -> None:
        self.input.example_given.connect(self._keep)
        self.input.webcam_started.connect(self._suit_photos)
        self.list.remove_requested.connect(self._remove)
        self.form.name_changed.connect(self._refresh)
        self.form.base_changed.connect(lambda: self._show_state(self.status.text()))
        self.open.clicked.connect(self._ask_for_folder)
        self.corrections.clicked.connect(self._add_corrections)
        self.teach.clicked.connect(self.teach_model)
        self.use.clicked.connect(lambda: self.model_made.emit(self._taught))
        self._importer.result_ready.connect(self._count)
        self._importer.failed.connect(self._show_import_error)
        self._importer.finished.connect(self._show_imported)
        self._importer.ended.connect(self._end_import)
        self._worker.result_ready.connect(self._show_result)
        self._worker.failed.connect(self._show_error)
        self._worker.ended.connect(self._end_teaching)
        self._lister.result_ready.connect(self.form.offer_bases)

    def _lay_out(self) -> None:
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.status.setWordWrap(True)
        hint = QLabel(
            self.tr(
                "Draw, photograph or open a few examples of each label. The network keeps its layers; only "
                "the last one learns. It takes seconds, on this computer."
            ),
            self,
        )
        hint.setWordWrap(True)
        sources, ends = QWidget(self), QWidget(self)
        FlowLayout(sources, (self.open, self.corrections))
        FlowLayout(ends, (self.teach, self.use))
        right = column(
            hint, self.form, sources, (self.list, 2), ends, self.progress, self.status, None, spacing=12,
        )  # fmt: skip
        row((self.input, 1), (right, 1), parent=self, margin=PAGE_MARGIN, spacing=16)
