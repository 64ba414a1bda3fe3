"""Writes the session while the app runs, and when its window closes."""

import logging
import threading
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from desktop.prediction.worker import Worker
from desktop.session.store import Session, write_session

_log = logging.getLogger(__name__)


class SessionWriter:
    """Writes one session at a time; the one that :meth:`close` gets is the last."""

    def __init__(self, path: Path, parent: QObject) -> None:
        """Start the thread.

        Args:
            path: File of the session.
            parent: Owner of the thread.
        """
        self._path = path
        self._worker = Worker("session-writer", parent)
        # Held while a session is written.
        self._lock = threading.Lock()
        self._closed = False
        self._failed = False

    def write(self, session: Session) -> None:
        """Write a session on the thread, in place of one that waits for it."""
        self._worker.call(partial(self._write_unless_closed, session))

    def close(self, session: Session) -> None:
        """Write the last session before returning; waits for one that is being written."""
        with self._lock:
            self._closed = True
            self._write(session)

    def _write_unless_closed(self, session: Session) -> None:
        with self._lock:
            if not self._closed:
                self._write(session)

    def _write(self, session: Session) -> None:
        """Write a session; logs the first of several errors, because the app works without."""
        try:
            write_session(self._path, session)
        except OSError as error:
            if not self._failed:
                _log.warning("the session could not be written to %s: %s", self._path, error)
            self._failed = True
        else:
            self._failed = False
