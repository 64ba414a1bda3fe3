"""Reads and writes which version of a model is the default one."""

import re
from pathlib import Path

from service.inference.card import Card
from service.inference.errors import ModelError, OutputError
from service.inference.files import read_regular, write_atomically

DEFAULT_FILE = "default"
LARGEST_VERSION = 10**9 - 1
_MAX_BYTES = 100


def read_default(folder: Path) -> int | None:
    """Return the version that a model's folder declares as the default.

    Args:
        folder: The model's folder, which may hold a file ``default`` with the number of a version.

    Returns:
        The version, which need not exist; None if the folder declares none.

    Raises:
        ModelError: The file cannot be read, or holds no number.
    """
    path = folder / DEFAULT_FILE
    try:
        text = read_regular(path, max_bytes=_MAX_BYTES).decode().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{folder.name}/{DEFAULT_FILE}: cannot be read ({error}); write the number of a version into it"
        ) from error
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise ModelError(
            f"{folder.name}/{DEFAULT_FILE}: holds no number of a version; write one into it, or delete it"
        )
    return int(text)


def write_default(folder: Path, version: int) -> None:
    """Declare a version as the default of a model.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        write_atomically(folder / DEFAULT_FILE, f"{version}\n".encode())
    except OSError as error:
        raise OutputError(
            f"{folder / DEFAULT_FILE}: cannot be written ({error.strerror}); check the folder's permissions"
        ) from error


def reason_against(card: Card, *, current: Card) -> str:
    """Return why a version should not replace the default one, or nothing.

    Args:
        card: Card of the version.
        current: Card of the default version.
    """
    if card.labels != current.labels:
        return (
            f"its labels are {', '.join(card.labels)}, those of the default version {current.version} are "
            f"{', '.join(current.labels)}"
        )
    if card.task != current.task:
        return f"its task is {card.task}, that of the default version {current.version} is {current.task}"
    (name, figure), (_, present) = _figure(card), _figure(current)
    if figure < present:
        return f"its {name} is {figure:.4f}, that of the default version {current.version} is {present:.4f}"
    return ""


def _figure(card: Card) -> tuple[str, float]:
    """Return the figure that versions are compared by: its name and its value, higher is better."""
    if card.metrics is not None:
        return "test accuracy", card.metrics.accuracy
    assert card.regression is not None, "a card without metrics is that of a regression"
    return "R² on the test set", card.regression.r2
