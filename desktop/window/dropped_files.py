"""Owns what comes in by drop or paste: files, pictures out of other programs, and what cannot be taken."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from desktop.pictures.images import png_of_picture, qimage_of_pillow
from service.inference import LecternError
from service.inference.errors import DamagedImage, InputTooLarge
from service.inference.preprocessing import decode_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
LARGEST_FILE = 60_000_000
# In the order of what is lost: nothing, or the notes on how the camera was held.
_FORMATS = ("image/jpeg", "image/png", "image/webp")
_LONGEST_SHOWN = 1200
THUMBNAIL = 64


@dataclass(frozen=True)
class DroppedFile:
    """A picture that has come in, not yet looked into: a path, a file's bytes, or Qt's own picture."""

    name: str
    content: Path | bytes | QImage


@dataclass(frozen=True)
class DroppedItems:
    """All that came in at once.

    Attributes:
        files: Pictures, or what claims to be some.
        folders: Folders.
        elsewhere: Whether there were addresses on the network, which are never followed.
    """

    files: tuple[DroppedFile, ...] = ()
    folders: tuple[Path, ...] = ()
    elsewhere: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that can be shown and read.

    Attributes:
        name: For people.
        data: The picture file.
        image: For the screen, upright; smaller than the file's if that is huge.
        thumbnail: The same, 64 pixels broad or high.
    """

    name: str
    data: bytes
    image: QImage
    thumbnail: QImage


@dataclass(frozen=True)
class Failure:
    """A parcel that holds no usable picture."""

    name: str
    error: LecternError


def dropped_items(mime: QMimeData) -> DroppedItems:
    """Sort out what was dropped or pasted; reads no file and asks no network."""
    urls = mime.urls()
    local = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    if local:
        files = tuple(DroppedFile(path.name, path) for path in local if not path.is_dir())
        return DroppedItems(files, tuple(path for path in local if path.is_dir()))
    for form in _FORMATS:
        file = bytes(mime.data(form).data())
        if file:
            return DroppedItems((DroppedFile(form, file),))
    if mime.hasImage():
        picture = mime.imageData()
        if isinstance(picture, QImage) and not picture.isNull():
            return DroppedItems((DroppedFile("image", picture),))
    inline = [data for url in urls if (data := _inline(url)) is not None]
    if inline:
        return DroppedItems(tuple(DroppedFile("image", data) for data in inline))
    return DroppedItems(elsewhere=any(url.scheme() in ("http", "https") for url in urls))


def unpack(parcel: DroppedFile) -> Picture | Failure:
    """Read and decode a picture; may take long, so not in the window's thread."""
    try:
        return _picture(parcel)
    except LecternError as error:
        return Failure(parcel.name, error)


def _picture(parcel: DroppedFile) -> Picture:
    content = parcel.content
    if isinstance(content, QImage):
        data = png_of_picture(content)
    elif isinstance(content, Path):
        data = _read(content)
    else:
        data = content
    upright = decode_image(data)
    upright.thumbnail((_LONGEST_SHOWN, _LONGEST_SHOWN))
    image = qimage_of_pillow(upright)
    upright.thumbnail((THUMBNAIL, THUMBNAIL))
    return Picture(parcel.name, data, image, qimage_of_pillow(upright))


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InputTooLarge(
                f"{path.name} has {size} bytes, more than {LARGEST_FILE}; make it smaller first"
            )
        return path.read_bytes()
    except OSError as error:
        raise DamagedImage(f"{path.name} cannot be read ({error.strerror})") from error


def _inline(url: QUrl) -> bytes | None:
    """Return the bytes of a ``data:image/…`` address, as browsers give for small pictures."""
    if url.scheme() != "data":
        return None
    head, _, body = url.toString(QUrl.ComponentFormattingOption.FullyEncoded).partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except binascii.Error:
        return None
