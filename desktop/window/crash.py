"""Logs unhandled exceptions and shows them in a dialog."""

import logging
import logging.handlers
import platform
import sys
import threading
import traceback
from importlib import metadata
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QStandardPaths, Qt, Signal, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QWidget

from desktop.widgets import DIALOG_MARGIN, column, create_buttons

_LOG = logging.getLogger("lectern.desktop")
# The loggers of the app and of the parts that run in its process.
_LOGGERS = ("desktop", "lectern", "service")
_MAX_LOG_BYTES, _LOG_FILES = 1_000_000, 2


def log_file() -> Path:
    """Return the path of the log file."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(folder) / "lectern.log"


def open_log() -> logging.Handler | None:
    """Start to log to :func:`log_file`; return None if it cannot be written."""
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=_MAX_LOG_BYTES, backupCount=_LOG_FILES - 1, encoding="utf-8"
        )
    except OSError:
        return None  # The app works without a log, for example on a read-only disk.
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    return handler


def crash_report(error: BaseException) -> str:
    """Return versions and traceback, without any content of the user."""
    try:
        version = metadata.version("lectern")
    except metadata.PackageNotFoundError:
        version = "not installed"
    trace = "".join(traceback.format_exception(error))
    return (
        f"Lectern {version}, Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}, "
        f"{QGuiApplication.platformName()}\n\n{trace}"
    )


class CrashDialog(QDialog):
    """Shows a crash report that can be copied."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        message = QLabel(
            self.tr(
                "An internal error occurred. Your drawing is not lost. "
                "Please send this report to the developers; it is also in {0}."
            ).format(log_file()),
            self,
        )
        message.setWordWrap(True)
        self.report = QPlainTextEdit(text, self)
        self.report.setReadOnly(True)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setAccessibleName(self.tr("Report"))
        buttons = create_buttons(self, QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton(self.tr("&Copy report"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        column(message, self.report, buttons, parent=self, margin=DIALOG_MARGIN, spacing=16)
        self.resize(640, 420)


class CrashHook(QObject):
    """Handles unhandled exceptions of all threads: logs them, and shows the first in a dialog.

    Signals:
        crashed: The exception; delivers it to the thread of the window.
    """

    crashed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.dialog: CrashDialog | None = None
        self.crashed.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Replace Python's own hooks."""
        sys.excepthook = self.handle
        threading.excepthook = lambda arguments: self.handle(
            arguments.exc_type, arguments.exc_value, arguments.exc_traceback
        )

    def handle(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log and show an exception; Ctrl-C still ends the program."""
        if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        _LOG.critical("%s", crash_report(error))
        self.crashed.emit(error)

    def _show(self, error: BaseException) -> None:
        # An error in an event handler can repeat with each mouse move.
        if self.dialog is None:
            self.dialog = CrashDialog(crash_report(error))
            self.dialog.destroyed.connect(self._clear_dialog)
            self.dialog.show()

    def _clear_dialog(self) -> None:
        self.dialog = None
