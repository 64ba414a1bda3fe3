"""Remembers drawing, text, pictures, history and panels until the next start."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import cast

from PySide6.QtCore import QLockFile, QObject, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QWidget

from desktop.drawing.page import DrawPage, ink_thumbnail
from desktop.drawing.stroke_painter import render
from desktop.drawing.strokes import Stroke
from desktop.pictures.dropped_files import DroppedFile, Picture, load_picture
from desktop.pictures.page import PicturesPage
from desktop.prediction.backends import Location, PredictionResult
from desktop.prediction.requests import Origin, PredictionRequest, PredictionResponse, Value
from desktop.prediction.worker import Worker
from desktop.result.history import HistoryStrip
from desktop.session.lock import lock_session
from desktop.session.store import (
    Content,
    Drawing,
    PictureFile,
    Session,
    StoredEntry,
    StoredPicture,
    Text,
    bounded_history,
    read_session,
)
from desktop.session.writer import SessionWriter
from desktop.text.page import TextPage, text_card

# What a crash or a power cut may lose.
INTERVAL_MS = 10_000
_log = logging.getLogger(__name__)


class SessionKeeper(QObject):
    """Restores the session after the window is shown; writes it every ten seconds and at the end.

    Of several windows, only the first has the session; the others remember nothing.

    Attributes:
        is_refused: Whether another window has the session.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        draw: DrawPage,
        pictures: PicturesPage,
        text: TextPage,
        strip: HistoryStrip,
        explanation: QDockWidget,
        comparison: QAction,
        parent: QWidget,
    ) -> None:
        """Prepare; :meth:`restore` reads the file.

        Args:
            path: File of the session; None to remember nothing.
            draw: The drawing.
            pictures: The pictures.
            text: The text.
            strip: The history.
            explanation: The dock of the explanation.
            comparison: The action of the comparison.
            parent: Owner of the threads that read the history and write the session.
        """
        super().__init__(parent)
        self.is_refused = False
        self._path, self._owner = path, parent
        self._draw, self._pictures, self._text, self._strip = draw, pictures, text, strip
        self._explanation, self._comparison = explanation, comparison
        # While the session is this window's.
        self._lock: QLockFile | None = None
        self._writer: SessionWriter | None = None
        self._written = Session()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._write_changes)
        # Entries of the stored history that are not in the strip yet.
        self._pending: tuple[StoredEntry, ...] = ()
        self._loader = Worker("session", parent)
        self._loader.result_ready.connect(self._add_entry)
        self._loader.finished.connect(self.forget_history)

    def restore(self) -> None:
        """Show the session of the last start, and write it from now on; not if another window has it."""
        if self._path is None:
            return
        self._lock = lock_session(self._path.parent)
        if self._lock is None:
            self.is_refused = True
            _log.warning("another window has the session; this one remembers nothing")
            return
        self._writer = SessionWriter(self._path, self._owner)
        self._written = read_session(self._path)
        self._timer.start(INTERVAL_MS)
        self._show(self._written)

    def close(self) -> None:
        """Write the session a last time, also what of the last one is still being loaded."""
        if self._writer is None or self._lock is None:
            return
        self._timer.stop()
        self._writer.close(self._session())
        self._writer = None
        self._lock.unlock()

    @Slot()
    def forget_history(self) -> None:
        """Drop the entries of the stored history that are not in the strip yet."""
        self._loader.cancel()
        self._pending = ()

    @Slot()
    def _write_changes(self) -> None:
        session = self._session()
        if self._writer is not None and session != self._written:
            self._written = session
            self._writer.write(session)

    def _session(self) -> Session:
        """Return what is in the window; copies neither strokes nor pictures."""
        return Session(
            strokes=self._draw.pad.strokes,
            text=cast(str, self._text.snapshot()),
            pictures=tuple(self._stored_pictures()),
            current=self._pictures.current_index,
            history=bounded_history(chain(_entries(self._strip.responses()), self._pending)),
            explains=not self._explanation.isHidden(),
            compares=self._comparison.isChecked(),
        )

    def _show(self, session: Session) -> None:
        if session.strokes:
            self._draw.restore(session.strokes)
            self._draw.pad.canvas.undo_stack.clear()
        if session.text:
            self._text.restore(session.text)
            self._text.editor.document().clearUndoRedoStacks()
        if session.pictures:
            files = [DroppedFile(picture.name, picture.data) for picture in session.pictures]
            self._pictures.load(files, select=session.current)
        if session.explains:
            # Not by its action, which would widen the window again at each start.
            self._explanation.show()
        if session.compares:
            self._comparison.setChecked(True)
        self._pending = session.history
        # Rendering and decoding the thumbnails takes longer than a frame.
        self._loader.put(partial(_responses, session.history))

    def _stored_pictures(self) -> Iterator[StoredPicture]:
        for picture in self._pictures.pictures:
            yield StoredPicture(picture.name, picture.data)
        for file in self._pictures.pending:
            if isinstance(file.content, bytes):  # What is in a file of the user is not lost.
                yield StoredPicture(file.name, file.content)

    @Slot(object)
    def _add_entry(self, loaded: tuple[PredictionResponse, tuple[StoredEntry, ...]]) -> None:
        response, self._pending = loaded
        self._strip.append(response)


def _entries(responses: Sequence[PredictionResponse]) -> Iterator[StoredEntry]:
    for response in responses:
        origin = response.request.origin
        assert origin is not None
        result = response.result
        yield StoredEntry(origin.page, _content(origin.snapshot), result.prediction, result.reading)


def _content(snapshot: object) -> Content:
    if isinstance(snapshot, str):
        return Text(snapshot)
    if isinstance(snapshot, Picture):
        return PictureFile(StoredPicture(snapshot.name, snapshot.data))
    return Drawing(cast("tuple[Stroke, ...]", snapshot))


def _responses(entries: Sequence[StoredEntry]) -> Iterator[object]:
    """Yield the response of each entry, and the entries after it.

    Entries whose picture cannot be decoded any more are left out.
    """
    for number, entry in enumerate(entries, start=1):
        restored = _restored(entry, -number)
        if restored is not None:
            value, origin = restored
            prediction = entry.prediction
            request = PredictionRequest(prediction.model, prediction.version, value, origin=origin)
            result = PredictionResult(prediction, Location.LOCAL, 0.0, reading=entry.reading)
            yield PredictionResponse(request, result), tuple(entries[number:])


def _restored(entry: StoredEntry, document: int) -> tuple[Value, Origin] | None:
    """Return value and origin of an entry, with a document number that no page has."""
    content = entry.content
    if isinstance(content, Drawing):
        drawing = render(content.strokes)
        return drawing, Origin(entry.page, (document,), content.strokes, ink_thumbnail(drawing))
    if isinstance(content, Text):
        return content.text, Origin(entry.page, (document,), content.text, text_card(content.text))
    picture = load_picture(DroppedFile(content.picture.name, content.picture.data))
    if not isinstance(picture, Picture):
        return None
    return picture.data, Origin(entry.page, (document,), picture, picture.thumbnail)
