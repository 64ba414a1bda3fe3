"""Looks at the locks of files that a training writes."""

from pathlib import Path

from filelock import FileLock, Timeout


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock, whose file exists, as far as this user can find out."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # the folder is another user's, or cannot be written to
        return False
    lock.release()
    return False
