"""Finds out whether networks can be trained, and installs what is missing."""

import importlib
import importlib.util
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal, Slot

_ROOT = Path(__file__).resolve().parents[2]
_NEEDED = ("training", "tensorflow", "keras", "tf2onnx", "h5py", "sklearn")
_SHOWN_LINES = 4


def missing_packages() -> tuple[str, ...]:
    """Return the packages without which nothing can be trained."""
    importlib.invalidate_caches()  # another process may have installed them
    return tuple(name for name in _NEEDED if importlib.util.find_spec(name) is None)


def setup_script() -> Path | None:
    """Return the script of the checkout that installs packages; None outside of a checkout."""
    script = _ROOT / "run"
    return script if script.is_file() else None


class Installer(QObject):
    """Installs the packages for training in the environment of the checkout.

    Signals:
        progressed: A line that the installation printed.
        ended: The installation has ended; carries the error for people, or an empty text.
    """

    progressed = Signal(str)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._lines: list[str] = []

    @property
    def is_running(self) -> bool:
        """Whether an installation is running."""
        return self._process is not None

    def start(self, script: Path) -> None:
        """Install, which can take minutes.

        Args:
            script: The script of :func:`setup_script`.
        """
        process = self._process = QProcess(self)
        self._lines = []
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        # The first use of a command installs its packages.
        process.start(sys.executable, [str(script), "train", "--help"])

    @Slot()
    def _read(self) -> None:
        assert self._process is not None
        text = bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
        for line in filter(None, map(str.strip, text.splitlines())):
            self._lines = [*self._lines, line][-_SHOWN_LINES:]
            self.progressed.emit(line)

    @Slot()
    def _finish(self) -> None:
        if self._process is not None:
            self._release("" if self._process.exitCode() == 0 else "\n".join(self._lines))

    @Slot(QProcess.ProcessError)
    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._release(self._process.errorString())

    def _release(self, error: str) -> None:
        assert self._process is not None
        self._process.deleteLater()
        self._process = None
        self.ended.emit(error)
