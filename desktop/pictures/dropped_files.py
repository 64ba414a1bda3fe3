"""Loads pictures that were opened, dropped or pasted."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QCoreApplication, QMimeData, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.pictures.images import png_of_picture, qimage_of_pillow
from desktop.widgets import open_file_dialog
from service.inference import LecternError
from service.inference.errors import DamagedImage, InputTooLarge
from service.inference.files import open_regular, printable
from service.inference.preprocessing import PICTURE_SUFFIXES, decode_image, picture_size

MAX_FILE_BYTES = 60_000_000
_MAX_DATA_URL = 4_000_000
THUMBNAIL_SIZE = 64
_MAX_SHOWN_SIZE = 1200
# A browser's JPEG comes first, because it has the original bytes and EXIF orientation.
_MIME_TYPES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True)
class DroppedFile:
    """A picture that is not loaded yet: a path, the bytes of a file, or an image of the clipboard."""

    name: str
    content: Path | bytes | QImage


@dataclass(frozen=True)
class DroppedItems:
    """The items of one drop or paste.

    Attributes:
        files: Files, which may not be pictures.
        folders: Folders.
        remote: Whether there were URLs of the network, which the app never fetches.
    """

    files: tuple[DroppedFile, ...] = ()
    folders: tuple[Path, ...] = ()
    remote: bool = False


@dataclass(frozen=True)
class Picture:
    """A loaded picture; equal to another one with the same bytes.

    Attributes:
        name: Name to show.
        data: The bytes of the picture file.
        image: The upright picture, reduced for the screen.
        thumbnail: The picture within ``THUMBNAIL_SIZE`` pixels a side.
        width: Width of the upright picture as it is in the file, in pixels.
    """

    name: str = field(compare=False)
    data: bytes
    image: QImage = field(compare=False)
    thumbnail: QImage = field(compare=False)
    width: int = field(compare=False)


@dataclass(frozen=True)
class LoadFailure:
    """A file that could not be loaded."""

    name: str
    error: LecternError


def dropped_items(mime: QMimeData) -> DroppedItems:
    """Return what was dropped or pasted, without reading files or the network."""
    urls = mime.urls()
    local = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    if local:
        files = tuple(DroppedFile(path.name, path) for path in local if not path.is_dir())
        return DroppedItems(files, tuple(path for path in local if path.is_dir()))
    for mime_type in _MIME_TYPES:
        data = bytes(mime.data(mime_type).data())
        if data:
            return DroppedItems((DroppedFile(mime_type, data),))
    if mime.hasImage():
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return DroppedItems((DroppedFile("image", image),))
    if not urls and mime.hasText():
        urls, files = _addresses(mime.text())
        if files:
            return DroppedItems(files)
    inline = [file for url in urls if (file := _data_url(url)) is not None]
    if inline:
        return DroppedItems(tuple(DroppedFile("image", data) for data in inline))
    return DroppedItems(remote=any(url.scheme() in ("http", "https") for url in urls))


def ask_for_pictures(
    parent: QWidget,
    title: str,
    mode: QFileDialog.FileMode,
    on_chosen: Callable[[list[DroppedFile]], object],
) -> None:
    """Ask for picture files; arguments as for :func:`desktop.widgets.open_file_dialog`."""
    patterns = " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)
    open_file_dialog(
        parent,
        title,
        mode,
        lambda names: on_chosen([DroppedFile(Path(name).name, Path(name)) for name in names]),
        filters=QCoreApplication.translate("PicturesPage", "Pictures ({0})").format(patterns),
    )


def load_picture(file: DroppedFile) -> Picture | LoadFailure:
    """Read and decode a picture; may be slow, so call it on a worker thread."""
    try:
        return _load(file)
    except LecternError as error:
        return LoadFailure(printable(file.name), error)


def read_file(path: Path) -> bytes:
    """Return the bytes of a picture file.

    Raises:
        DamagedImage: The file cannot be read, or is no regular file.
        InputTooLarge: The file has more than ``MAX_FILE_BYTES`` bytes.
    """
    try:
        with open_regular(path) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DamagedImage(f"{path.name} cannot be read ({error.strerror})") from error
    if len(data) > MAX_FILE_BYTES:
        raise InputTooLarge(f"{path.name} has more than {MAX_FILE_BYTES} bytes; make it smaller first")
    return data


def _load(file: DroppedFile) -> Picture:
    content = file.content
    if isinstance(content, QImage):
        data = png_of_picture(content)
    elif isinstance(content, Path):
        data = read_file(content)
    else:
        data = content
    upright = decode_image(data)
    # Decoding reduces large pictures; boxes of digits are in pixels of the file.
    width = round(upright.width * max(picture_size(data)) / max(upright.size))
    upright.thumbnail((_MAX_SHOWN_SIZE, _MAX_SHOWN_SIZE))
    image = qimage_of_pillow(upright)
    upright.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    return Picture(printable(file.name), data, image, qimage_of_pillow(upright), width)


def _addresses(text: str) -> tuple[list[QUrl], tuple[DroppedFile, ...]]:
    """Return the URL that a text is, or the file whose path or URL it is."""
    text = text.strip().strip("\"'")
    if len(text) > _MAX_DATA_URL or "\n" in text:
        return [], ()
    if text.startswith(("http://", "https://", "data:image/")):
        return [QUrl(text)], ()
    path = Path(QUrl(text).toLocalFile() if text.startswith("file:") else text)
    try:
        path = path.expanduser()
        is_file = path.is_absolute() and path.is_file()
    except (OSError, RuntimeError, ValueError):
        is_file = False  # A text that cannot be a path.
    return [], (DroppedFile(path.name, path),) if is_file else ()


def _data_url(url: QUrl) -> bytes | None:
    """Return the bytes of a ``data:image/…`` URL, which browsers use for small pictures."""
    if url.scheme() != "data":
        return None
    head, _, body = url.toString(QUrl.ComponentFormattingOption.FullyEncoded).partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except binascii.Error:
        return None
