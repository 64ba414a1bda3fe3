"""Lets one window at a time use the session."""

import os
from pathlib import Path

from PySide6.QtCore import QLockFile

# Longer than another window needs to finish its lock.
_WAIT_MS = 100


def lock_session(folder: Path) -> QLockFile | None:
    """Lock the folder of the session.

    Args:
        folder: The folder; it is created if it does not exist.

    Returns:
        The lock, to be released with ``unlock``; one that locks nothing if the folder cannot be written. None
        if another window has the session.
    """
    lock = QLockFile(str(folder / "session.lock"))
    # A window may be open for days.
    lock.setStaleLockTime(0)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return lock
    if lock.tryLock(_WAIT_MS) or not os.access(folder, os.W_OK):
        return lock
    # Qt removes the lock of a process that has ended, but neither one that it cannot read nor that of another
    # computer with the same home folder. The operating system does not let it remove one that is in use.
    if lock.removeStaleLockFile() and lock.tryLock(0):
        return lock
    return None if lock.error() is QLockFile.LockError.LockFailedError else lock
