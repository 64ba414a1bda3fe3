"""Remembers drawing, text, pictures, history and panels until the next start."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, Slot
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
    write_session,
)
from desktop.text.page import TextPage, text_card


class SessionKeeper(QObject):
    """Writes the session when the window closes, and restores it after the window is shown."""

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
            parent: Owner of the thread that reads the history.
        """
        super().__init__(parent)
        self._path = path
        self._draw, self._pictures, self._text, self._strip = draw, pictures, text, strip
        self._explanation, self._comparison = explanation, comparison
        self._restored = False
        # Entries of the stored history that are not in the strip yet.
        self._pending: tuple[StoredEntry, ...] = ()
        self._loader = Worker("session", parent)
        self._loader.result_ready.connect(self._add_entry)
        self._loader.finished.connect(self.forget_history)

    def restore(self) -> None:
        """Show the session of the last start."""
        if self._path is None:
            return
        session = read_session(self._path)
        self._restored = True
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

    def save(self) -> None:
        """Write the session, also what of the last one is still being loaded."""
        if self._path is None or not self._restored:
            return
        session = Session(
            strokes=self._draw.pad.strokes,
            text=cast(str, self._text.snapshot()),
            pictures=tuple(self._stored_pictures()),
            current=self._pictures.current_index,
            history=bounded_history(chain(_entries(self._strip.responses()), self._pending)),
            explains=not self._explanation.isHidden(),
            compares=self._comparison.isChecked(),
        )
        write_session(self._path, session)

    @Slot()
    def forget_history(self) -> None:
        """Drop the entries of the stored history that are not in the strip yet."""
        self._loader.cancel()
        self._pending = ()

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
