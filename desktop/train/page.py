"""The page *Train*."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QMessageBox, QScrollArea, QWidget

from desktop.train.controls import Phase, TrainingControls
from desktop.train.curves import NamedRun, TrainingCurves
from desktop.train.environment import Installer, setup_script
from desktop.train.filter_strip import FilterStrip
from desktop.train.form import TrainingForm
from desktop.train.plan import TrainingPlan, export_command, train_command
from desktop.train.process import CommandProcess
from desktop.train.run_record import RunStore
from desktop.train.status import (
    downloading_text,
    exported_text,
    finished_text,
    pictures_text,
    started_text,
    stopped_text,
)
from desktop.train.watched_pane import PageContents, WatchedPane
from desktop.widgets import PAGE_MARGIN, column, create_combo, row
from desktop.window.messages import announce
from service.inference.files import output_error, write_atomically
from service.inference.training_events import (
    Downloading,
    EpochFinished,
    FirstFilters,
    InputRead,
    ModelExported,
    PicturesRead,
    StepFinished,
    TrainingContinued,
    TrainingEvent,
    TrainingFinished,
    TrainingPaused,
    TrainingStarted,
    TrainingStopped,
)

_FORM_WIDTH, _PANE_WIDTH = 340, 220


class TrainPage(QWidget):
    """Trains networks in a process of their own, and shows the training live.

    Attributes:
        title: Title of the tab.
        controls: The buttons, with what the page is doing.

    Signals:
        model_exported: A model was made from a run; carries its name.
    """

    model_exported = Signal(str)

    def __init__(self, data: Path, contents: PageContents, parent: QWidget | None = None) -> None:
        """Build the page.

        Args:
            data: Folder of the app's data, in which ``runs/`` and ``models/`` are.
            contents: What the other pages show.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Train")
        self._models = data / "models"
        self._store = RunStore(data / "runs", models=self._models)
        self._run: Path | None = None
        self._plan = TrainingPlan()
        # Name of the model that was made from the run, and what is known of the complete run.
        self._exported = self._summary = ""
        self._started: TrainingStarted | None = None
        self._rows: list[EpochFinished] = []
        self._process = CommandProcess(self)
        self._installer = Installer(self)
        self.form = TrainingForm(self)
        self.controls = TrainingControls(self)
        self.earlier = create_combo(self.tr("Run to compare with"), parent=self)
        self.curves = TrainingCurves(self)
        self.filters = FilterStrip(self)
        self.watched = WatchedPane(contents, self)
        self._lay_out()
        self._connect()
        self._follow_form()

    @property
    def is_busy(self) -> bool:
        """Whether a process runs that would end with the window."""
        return self._process.is_running or self._installer.is_running

    def start_training(self) -> None:
        """Train the plan of the form as a new run."""
        self._plan = self.form.plan
        self._run = self._store.new_run(self._plan.recipe.name)
        self._rows, self._started, self._exported, self._summary = [], None, "", ""
        self.watched.set_kind(self._plan.recipe.reads)
        self.watched.forget_reading()
        self.filters.show_filters(None)
        self.curves.show_run((), epochs=1)
        self._offer_runs()
        self._train(resume=False)

    def stop_training(self) -> None:
        """End the training; its finished epochs stay, and it can be continued."""
        if self._process.is_running:
            self._set_phase(Phase.STOPPING, self.tr("Stopping…"))
            self._process.stop()

    def ask_to_stop(self) -> bool:
        """Ask whether to end what is running, because the window closes; return the answer."""
        text = self.tr("A training is running. Its finished epochs are kept. Stop it, and close Lectern?")
        if self._installer.is_running:
            text = self.tr("TensorFlow is being installed. Stop that, and close Lectern?")
        kinds = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self, self.tr("Close Lectern?"), text, kinds.Close | kinds.Cancel, kinds.Cancel
        )
        return answer == kinds.Close

    def close_process(self) -> None:
        """End what is running, because the window closes."""
        self._process.kill()

    def showEvent(self, event: QShowEvent) -> None:
        """Find out whether networks can be trained, and take over what the other pages show."""
        super().showEvent(event)
        if not self.is_busy:
            self._offer_runs()
            self._follow_form()

    def _train(self, *, resume: bool) -> None:
        assert self._run is not None
        try:
            self._run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._set_phase(self.controls.phase, str(output_error(error)))
            return
        self._set_phase(Phase.STARTING, self.tr("Starting TensorFlow…"))
        command = train_command(
            self._plan, self._run, models=self._models, watch=self._watched_file(), resume=resume
        )
        self._process.start(command)
        self._write_input()

    def _watched_file(self) -> Path:
        assert self._run is not None
        return self._run / "watched-input"

    def _write_input(self) -> None:
        """Let the training process read the current input."""
        if self._run is None or not self._process.is_running:
            return
        try:
            write_atomically(self._watched_file(), self.watched.content())
        except OSError as error:
            self.controls.status.setText(str(output_error(error)))

    def _pause_or_continue(self) -> None:
        match self.controls.phase:
            case Phase.TRAINING:
                self._process.send("pause")
            case Phase.PAUSED:
                self._process.send("continue")
            case Phase.STOPPED:
                self._train(resume=True)

    def _use(self) -> None:
        """Select the model of the run, which is exported first."""
        if self._exported:
            self.model_exported.emit(self._exported)
            return
        assert self._run is not None
        self._set_phase(Phase.EXPORTING, self.tr("Exporting: the network reads the whole test set…"))
        self._process.start(export_command(self._plan, self._run, models=self._models))

    def _install(self) -> None:
        script = setup_script()
        if script is not None:
            self._set_phase(Phase.INSTALLING, self.tr("Installing TensorFlow… This takes minutes."))
            self._installer.start(script)

    @Slot(str)
    def _end_installation(self, error: str) -> None:
        self._set_phase(Phase.IDLE, error)

    @Slot(object)
    def _show_event(self, event: TrainingEvent) -> None:
        match event:
            case TrainingStarted():
                self._begin(event)
            case Downloading():
                self.controls.status.setText(downloading_text(event))
            case PicturesRead():
                self.controls.status.setText(pictures_text(event))
            case StepFinished():
                self._show_step(event)
            case EpochFinished():
                self._rows.append(event)
                self._draw()
            case FirstFilters():
                self.filters.show_filters(event)
            case InputRead():
                self.watched.show_reading(event)
            case TrainingPaused():
                self._set_phase(Phase.PAUSED, self.tr("Paused"))
            case TrainingContinued():
                self._set_phase(Phase.TRAINING, self.tr("Training"))
            case TrainingStopped():
                self._set_phase(Phase.STOPPING, stopped_text(event.epochs))
            case TrainingFinished():
                self._summary = finished_text(event)
            case ModelExported():
                self._exported, self._summary = event.model, exported_text(event)

    def _begin(self, event: TrainingStarted) -> None:
        self._rows = self._rows[: event.finished]
        self._started = event
        self._set_phase(Phase.TRAINING, started_text(event))
        self._draw()

    def _show_step(self, step: StepFinished) -> None:
        if self._started is None:
            return
        done = (step.epoch - 1) * step.steps + step.step
        self.controls.show_progress(done, self._started.epochs * step.steps)
        self._draw(step)

    def _draw(self, step: StepFinished | None = None) -> None:
        epochs = 1 if self._started is None else self._started.epochs
        self.curves.show_run(self._rows, epochs=epochs, step=step)

    @Slot(str)
    def _end(self, error: str) -> None:
        """Show how the process has ended."""
        exports = self.controls.phase is Phase.EXPORTING
        if error:
            self._set_phase(Phase.FINISHED if exports else Phase.IDLE, error)
        elif self._summary:
            self._set_phase(Phase.FINISHED, self._summary)
            if exports and self._exported:
                self.model_exported.emit(self._exported)
        else:
            phase = Phase.STOPPED if self._rows else Phase.IDLE
            self._set_phase(phase, stopped_text(len(self._rows)))
        announce(self, self.controls.status.text())

    def _set_phase(self, phase: Phase, status: str) -> None:
        self.controls.set_phase(phase, status, complete=self.form.is_complete)
        self.form.setEnabled(phase.is_idle)

    def _follow_form(self) -> None:
        """Offer what the plan of the form needs."""
        self._set_phase(self.controls.phase, self.controls.status.text())
        self.watched.set_kind(self.form.plan.recipe.reads)

    def _offer_runs(self) -> None:
        """Offer the earlier runs that have finished an epoch."""
        chosen = self.earlier.currentText()
        with QSignalBlocker(self.earlier):
            self.earlier.clear()
            self.earlier.addItem(self.tr("No other run"), None)
            for run in self._store.runs():
                if run != self._run and (rows := self._store.epochs(run)):
                    self.earlier.addItem(run.name, NamedRun(run.name, rows))
            self.earlier.setCurrentIndex(max(self.earlier.findText(chosen), 0))
        self._compare()

    def _compare(self) -> None:
        self.curves.compare(self.earlier.currentData())

    def _connect(self) -> None:
        controls = self.controls
        self._process.event_received.connect(self._show_event)
        self._process.ended.connect(self._end)
        self._installer.progressed.connect(controls.status.setText)
        self._installer.ended.connect(self._end_installation)
        controls.start.clicked.connect(self.start_training)
        controls.pause.clicked.connect(self._pause_or_continue)
        controls.stop.clicked.connect(self.stop_training)
        controls.use.clicked.connect(self._use)
        controls.install.clicked.connect(self._install)
        self.form.changed.connect(self._follow_form)
        self.watched.changed.connect(self._write_input)
        self.earlier.currentIndexChanged.connect(self._compare)

    def _lay_out(self) -> None:
        settings = QWidget(self)
        column(self.form, self.controls, None, parent=settings, spacing=12).setContentsMargins(0, 0, 8, 0)
        area = QScrollArea(self)
        area.setWidget(settings)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setMinimumWidth(_FORM_WIDTH)
        self.watched.setMinimumWidth(_PANE_WIDTH)
        compare = row(QLabel(self.tr("Compare with"), self), (self.earlier, 1))
        middle = column(compare, (self.curves, 1), self.filters, spacing=8)
        row((area, 2), (middle, 4), (self.watched, 2), parent=self, margin=PAGE_MARGIN, spacing=16)
