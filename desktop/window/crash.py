"""Owns what happens when the program has a fault: a log file, and a report that can be copied."""

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
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.theme import without_icons

_LOG = logging.getLogger("lectern.desktop")
_LOG_BYTES, _LOG_FILES = 1_000_000, 2


def log_file() -> Path:
    """Return where the log is written."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(folder) / "lectern.log"


def open_log() -> logging.Handler | None:
    """Begin to log to :func:`log_file`, two files of a megabyte at most; None if it cannot be written."""
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES - 1, encoding="utf-8"
        )
    except OSError:
        return None  # A full or read-only disk is no reason not to draw.
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("lectern")
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def report(error: BaseException) -> str:
    """Return what somebody who mends the program needs to know; nothing that was drawn or written."""
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
    """Says that something went wrong, and shows a report that can be copied."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QLabel(
            self.tr(
                "Lectern has a fault. What you have drawn is still there. "
                "With this report somebody can mend it; it is also in {0}."
            ).format(log_file()),
            self,
        )
        words.setWordWrap(True)
        self.report = QPlainTextEdit(text, self)
        self.report.setReadOnly(True)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setAccessibleName(self.tr("Report"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.copy = buttons.addButton(self.tr("&Copy report"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        without_icons(buttons)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(16)
        for part in (words, self.report, buttons):
            column.addWidget(part)
        self.resize(640, 420)


class CrashHook(QObject):
    """Takes every error that nobody caught, from any thread, to the log and to one dialog.

    Signals:
        crashed: The error, on its way to the thread of the window.
    """

    crashed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.dialog: CrashDialog | None = None
        self.crashed.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over from Python's own hooks."""
        sys.excepthook = self.take
        threading.excepthook = lambda arguments: self.take(
            arguments.exc_type, arguments.exc_value, arguments.exc_traceback
        )

    def take(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log an error and show it; Ctrl-C ends the program as always."""
        if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        _LOG.critical("%s", report(error))
        self.crashed.emit(error)

    def _show(self, error: BaseException) -> None:
        # One fault may come again with every move of the mouse; one dialog is enough.
        if self.dialog is None:
            self.dialog = CrashDialog(report(error))
            self.dialog.destroyed.connect(self._forget)
            self.dialog.show()

    def _forget(self) -> None:
        self.dialog = None
