"""Owns the folder of drawings that were misread, sorted by what they really are."""

import hashlib
from pathlib import Path

from service.inference.files import write_atomically


def save_correction(folder: Path, label: str, picture: bytes) -> Path:
    """Save a drawing under its true label, as ``<folder>/<label>/<checksum>.png``.

    The same drawing has the same name, so that telling twice does no harm.

    Args:
        folder: Is made if it does not exist.
        label: One of the model's labels.
        picture: A PNG file.

    Returns:
        Where it was saved.

    Raises:
        OSError: The folder cannot be made or written.
    """
    # A label such as "T-shirt/top" must not become two folders.
    below = folder / label.replace("/", "_")
    below.mkdir(parents=True, exist_ok=True)
    path = below / f"{hashlib.sha256(picture).hexdigest()[:16]}.png"
    write_atomically(path, picture)
    return path
