"""Loads pictures on a thread, one after another."""

from collections import deque
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, Signal, Slot

from desktop.pictures.dropped_files import DroppedFile, LoadFailure, Picture, load_picture
from desktop.prediction.worker import Worker


class PictureLoader(QObject):
    """Loads pictures in the order in which they are given.

    Signals:
        loaded: A Picture.
        failed: A LoadFailure.
    """

    loaded = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # What the thread has not begun, and what has not been delivered.
        self._queue: deque[DroppedFile] = deque()
        self._pending: deque[DroppedFile] = deque()
        self._worker = Worker("load", self)
        self._worker.result_ready.connect(self._deliver)

    @property
    def pending(self) -> tuple[DroppedFile, ...]:
        """The pictures that are still to come."""
        return tuple(self._pending)

    def load(self, files: Sequence[DroppedFile]) -> None:
        """Load pictures after those that are being loaded."""
        # The worker keeps only the newest job, so a queue keeps the files.
        self._queue.extend(files)
        self._pending.extend(files)
        self._worker.put(self._load_queue)

    def cancel(self) -> None:
        """Load and deliver no more of the pictures."""
        self._worker.cancel()
        self._queue.clear()
        self._pending.clear()

    def _load_queue(self) -> Iterator[object]:
        while True:
            try:
                file = self._queue.popleft()
            except IndexError:
                return
            yield load_picture(file)

    @Slot(object)
    def _deliver(self, result: Picture | LoadFailure) -> None:
        self._pending.popleft()
        if isinstance(result, LoadFailure):
            self.failed.emit(result)
        else:
            self.loaded.emit(result)
