"""Stores what is in the window between two starts of the app."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec
from PySide6.QtCore import QStandardPaths

from desktop.drawing.strokes import Stroke
from desktop.session.picture_files import PictureFiles
from service.inference import Prediction
from service.inference.files import write_atomically
from service.inference.reading.reading import Reading

# The largest size of all pictures in the session; pictures beyond it are forgotten.
MAX_PICTURE_BYTES = 64_000_000
_log = logging.getLogger(__name__)


class StoredPicture(msgspec.Struct, frozen=True):
    """A picture.

    Attributes:
        name: Name to show.
        data: The bytes of the picture file; none in the file of the session.
        file: Name of the file that has the bytes; only in the file of the session.
    """

    name: str
    data: bytes = b""
    file: str = ""


class StoredEntry(msgspec.Struct, frozen=True):
    """An entry of the history.

    Attributes:
        page: Key of the page.
        content: What the page restores: strokes, a text or a picture.
        prediction: The prediction.
        reading: The digits of a picture that shows several; None for other contents.
    """

    page: str
    content: "Content"
    prediction: Prediction
    reading: Reading | None = None


class Drawing(msgspec.Struct, frozen=True, tag=True):
    """The strokes of a drawing."""

    strokes: tuple[Stroke, ...] = ()


class Text(msgspec.Struct, frozen=True, tag=True):
    """A text."""

    text: str = ""


class PictureFile(msgspec.Struct, frozen=True, tag=True):
    """A picture."""

    picture: StoredPicture


Content = Drawing | Text | PictureFile


class Session(msgspec.Struct, frozen=True):
    """What is in the window.

    Attributes:
        strokes: The drawing.
        text: The text.
        pictures: The pictures.
        current: Index of the picture that is shown.
        history: The entries of the history, newest first.
        explains: Whether the explanation is open.
        compares: Whether versions are compared.
    """

    strokes: tuple[Stroke, ...] = ()
    text: str = ""
    pictures: tuple[StoredPicture, ...] = ()
    current: int = 0
    history: tuple[StoredEntry, ...] = ()
    explains: bool = False
    compares: bool = False


def data_folder() -> Path:
    """Return the folder of the app's data on this computer; it may not exist yet."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation))


def session_file() -> Path:
    """Return the path of the stored session."""
    return data_folder() / "session" / "session.msgpack"


def read_session(path: Path) -> Session:
    """Return a stored session; an empty one if there is none, or none that can be read."""
    try:
        session = msgspec.msgpack.decode(path.read_bytes(), type=Session)
    except FileNotFoundError:
        return Session()
    except (OSError, msgspec.MsgspecError) as error:
        _log.warning("the last session could not be read from %s: %s", path, error)
        return Session()
    read = cache(_picture_files(path).get)

    def with_data(picture: StoredPicture) -> StoredPicture | None:
        if not picture.file:
            return picture  # Earlier versions wrote the bytes into the file of the session.
        try:
            return StoredPicture(picture.name, read(picture.file))
        except OSError as error:
            _log.warning("a picture of the last session could not be read: %s", error)
            return None

    return _convert_pictures(session, with_data)


def write_session(path: Path, session: Session) -> None:
    """Write a session; of its pictures, only those that the last one did not have.

    Args:
        path: The file. Its folder is made readable for its owner only.
        session: The session; pictures beyond ``MAX_PICTURE_BYTES`` are left out.

    Raises:
        OSError: The session cannot be written; the last one is unchanged.
    """
    pictures = tuple(_bounded(session.pictures))
    if len(pictures) < len(session.pictures):
        _log.info("the session keeps %d of %d pictures", len(pictures), len(session.pictures))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files, names = _picture_files(path), set[str]()

    def with_file(picture: StoredPicture) -> StoredPicture:
        names.add(name := files.put(picture.data))
        return StoredPicture(picture.name, file=name)

    stored = _convert_pictures(msgspec.structs.replace(session, pictures=pictures), with_file)
    write_atomically(path, msgspec.msgpack.encode(stored))
    files.keep_only(names)
    # What is left of a process that ended while it wrote.
    with contextlib.suppress(OSError):
        for unfinished in path.parent.glob(f".{path.name}.*"):
            unfinished.unlink()


def bounded_history(entries: Iterable[StoredEntry]) -> tuple[StoredEntry, ...]:
    """Return the entries whose pictures fit into ``MAX_PICTURE_BYTES``."""
    kept, size = [], 0
    for entry in entries:
        if isinstance(entry.content, PictureFile):
            size += len(entry.content.picture.data)
        if size <= MAX_PICTURE_BYTES:
            kept.append(entry)
    return tuple(kept)


def _bounded(pictures: Iterable[StoredPicture]) -> Iterable[StoredPicture]:
    size = 0
    for picture in pictures:
        size += len(picture.data)
        if size <= MAX_PICTURE_BYTES:
            yield picture


def _picture_files(path: Path) -> PictureFiles:
    return PictureFiles(path.parent / "pictures")


def _convert_pictures(session: Session, convert: Callable[[StoredPicture], StoredPicture | None]) -> Session:
    """Return a session with other pictures, without those that are converted to None."""

    def entries() -> Iterator[StoredEntry]:
        for entry in session.history:
            if not isinstance(entry.content, PictureFile):
                yield entry
            elif picture := convert(entry.content.picture):
                yield msgspec.structs.replace(entry, content=PictureFile(picture))

    pictures = tuple(filter(None, map(convert, session.pictures)))
    current = session.current if session.current < len(pictures) else 0
    return msgspec.structs.replace(session, pictures=pictures, current=current, history=tuple(entries()))
