"""Looks at the locks of files that a training writes."""

from pathlib import Path

from filelock import FileLock, Timeout


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock, whose file exists."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
