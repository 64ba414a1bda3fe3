"""Owns the folder that data sets and what is computed from them are kept in."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$LECTERN_DATA``, else ``~/.cache/lectern/data``; it need not exist yet."""
    chosen = os.environ.get("LECTERN_DATA")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "lectern" / "data"
