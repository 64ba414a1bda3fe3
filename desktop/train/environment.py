"""Finds out whether networks can be trained, and installs what is missing."""

import importlib
import importlib.util
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from desktop.train.single_process import SHOWN_LINES, SingleProcess

_ROOT = Path(__file__).resolve().parents[2]
_NEEDED = ("training", "tensorflow", "keras", "tf2onnx", "h5py", "sklearn")


def missing_packages() -> tuple[str, ...]:
    """Return the packages without which nothing can be trained."""
    importlib.invalidate_caches()  # another process may have installed them
    return tuple(name for name in _NEEDED if importlib.util.find_spec(name) is None)


def setup_script() -> Path | None:
    """Return the script of the checkout that installs packages; None outside of a checkout."""
    script = _ROOT / "run"
    return script if script.is_file() else None


class Installer(SingleProcess):
    """Installs the packages for training in the environment of the checkout.

    Signals:
        progressed: A line that the installation printed.
        ended: The installation has ended; carries the error for people, or an empty text.
    """

    progressed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[str] = []

    def start(self, script: Path) -> None:
        """Install, which can take minutes.

        Args:
            script: The script of :func:`setup_script`.
        """
        self._lines = []
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        # The first use of a command installs its packages.
        self._run(process, [sys.executable, str(script), "train", "--help"])

    def _take(self, output: bytes) -> None:
        for line in filter(None, map(str.strip, output.decode(errors="replace").splitlines())):
            self._lines = [*self._lines, line][-SHOWN_LINES:]
            self.progressed.emit(line)

    def _error_of(self, process: QProcess) -> str:
        return "" if process.exitCode() == 0 else "\n".join(self._lines)
