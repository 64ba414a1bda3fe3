"""The buttons of a training, with its progress and its state in words."""

from enum import Enum

from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget

from desktop.flow_layout import FlowLayout
from desktop.train.environment import missing_packages, setup_script
from desktop.widgets import column


class Phase(Enum):
    """What the page is doing."""

    IDLE = "idle"
    STARTING = "starting"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"  # can be continued
    FINISHED = "finished"  # can be used
    EXPORTING = "exporting"
    INSTALLING = "installing"

    @property
    def is_idle(self) -> bool:
        """Whether no process is running."""
        return self in (Phase.IDLE, Phase.STOPPED, Phase.FINISHED)


class TrainingControls(QWidget):
    """Enables what can be done in a phase.

    Attributes:
        phase: The current phase.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.phase = Phase.IDLE
        self.start = QPushButton(self.tr("&Start"), self)
        self.pause = QPushButton(self)
        self.stop = QPushButton(self.tr("St&op"), self)
        self.use = QPushButton(self.tr("Use &it"), self)
        self.use.setToolTip(self.tr("Export the network, and select it as a model of the app"))
        self.install = QPushButton(self.tr("&Install"), self)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.status = QLabel(self)
        self.status.setWordWrap(True)
        buttons = QWidget(self)
        FlowLayout(buttons, (self.start, self.pause, self.stop, self.use, self.install))
        column(buttons, self.progress, self.status, parent=self, spacing=12)
        self._missing: tuple[str, ...] = missing_packages()

    def set_phase(self, phase: Phase, status: str, *, complete: bool) -> None:
        """Show a phase.

        Args:
            phase: The phase.
            status: What is shown in words.
            complete: Whether the form has all that a training needs.
        """
        self.phase = phase
        if self._missing:
            self._missing = missing_packages()
        self.start.setEnabled(phase.is_idle and not self._missing and complete)
        self.pause.setEnabled(phase in (Phase.TRAINING, Phase.PAUSED, Phase.STOPPED))
        continues = phase in (Phase.PAUSED, Phase.STOPPED)
        self.pause.setText(self.tr("Contin&ue") if continues else self.tr("Pa&use"))
        self.stop.setEnabled(phase in (Phase.STARTING, Phase.TRAINING, Phase.PAUSED))
        self.use.setEnabled(phase is Phase.FINISHED)
        self.install.setVisible(bool(self._missing) and setup_script() is not None)
        self.install.setEnabled(phase.is_idle)
        self.progress.setVisible(not phase.is_idle)
        if phase in (Phase.STARTING, Phase.EXPORTING, Phase.INSTALLING):
            self.progress.setRange(0, 0)
        if phase.is_idle and self._missing and not status:
            status = self._how_to_install()
        self.status.setText(status)

    def show_progress(self, done: int, total: int) -> None:
        """Show how much is done."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _how_to_install(self) -> str:
        if setup_script() is not None:
            return self.tr(
                "Training needs TensorFlow, which takes up to 3 GB on the disk. Press Install, or run "
                "“./run train” in the copy of Lectern’s repository."
            )
        return self.tr(
            "Training needs TensorFlow. Install it in a copy of Lectern’s repository: pip install '.[train]'"
        )
