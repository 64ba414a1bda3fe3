"""Owns what was read before, so that it can be brought back."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtGui import QImage

from desktop.prediction.requests import PredictionResponse

_LIMIT = 50


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a request came from, with all that is needed to show it again.

    Attributes:
        page: The page's key.
        sitting: The page's ``sitting``.
        snapshot: What the page's ``bring_back`` takes.
        thumbnail: A small picture of it.
    """

    page: str
    sitting: int
    snapshot: object
    thumbnail: QImage


@dataclass(frozen=True, eq=False)
class Entry:
    """Something that was read, and where it came from."""

    origin: Origin
    answer: PredictionResponse


class History:
    """The latest entries, newest first; strokes that go on with a drawing stay one entry."""

    def __init__(self, *, limit: int = _LIMIT) -> None:
        self._entries: list[Entry] = []
        self._limit = limit

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, entry: Entry) -> None:
        """Take down an entry, in place of the newest one if it continues that."""
        newest = self._entries[0] if self._entries else None
        if newest is not None and _sitting(newest) == _sitting(entry):
            self._entries[0] = entry
        else:
            self._entries.insert(0, entry)
            del self._entries[self._limit :]


def _sitting(entry: Entry) -> tuple[str, int]:
    return entry.origin.page, entry.origin.sitting
