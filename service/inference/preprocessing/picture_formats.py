"""Recognises the format of a picture file by its first bytes, and opens it with Pillow's class for it.

The classes are used directly: ``Image.open`` would also apply ``Image.MAX_IMAGE_PIXELS``, which is a setting
of the whole process and belongs to the application.
"""

import io
from collections.abc import Callable

from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from service.inference.errors import DamagedImage

SUPPORTED_FORMATS = "PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
# How the names of such files end, in lower case.
PICTURE_SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".avif",
    ".heic",
    ".heif",
)

_FORMATS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"\xff\xd8\xff", JpegImageFile),
    (b"GIF8", GifImageFile),
    (b"BM", BmpImageFile),
    (b"II", TiffImageFile),
    (b"MM", TiffImageFile),
)
# ISO 14496-12: a file begins with a box of type ftyp, which has a major brand and a list of compatible ones.
_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_GENERIC_BRANDS = (b"mif1", b"msf1", b"miaf")
_MAX_FTYP_BYTES = 256
_DICOM_PREAMBLE = 128
_TGA_END = b"TRUEVISION-XFILE.\0"
# Files that people take for pictures, or send by mistake; the refusal names what they are.
_UNREAD_FORMATS = (
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\xff\x0a", "a JPEG XL file"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (b"%!PS", "a PostScript file"),
    (b"gimp xcf", "a GIMP file"),
    (b"\x76\x2f\x31\x01", "an OpenEXR file"),
    (b"icns", "an icon (ICNS)"),
    (b"qoif", "a QOI file"),
    (b"DDS ", "a DDS texture"),
    (b"FUJIFILMCCD-RAW", "a raw photo of a camera"),
    (b"\x1aE\xdf\xa3", "a video file (Matroska or WebM)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x01\xda", "an SGI picture"),
    (b"\n\x05\x01", "a PCX file"),
    (b"P5", "a PGM file"),
    (b"P6", "a PPM file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML or SVG file"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
)
# A PNG file of 16 MB with chunks of 1 KB takes 50,000.
_MAX_READS = 100_000


def open_file(data: bytes) -> ImageFile:
    """Read the header of a picture file.

    Args:
        data: A file of one of the ``SUPPORTED_FORMATS``.

    Returns:
        A picture whose pixels are not decoded yet.

    Raises:
        DamagedImage: The bytes are not such a file.
        Exception: Pillow's classes raise many types of exceptions for malformed files.
    """
    return _find_class(data)(_File(data))


def is_heic(picture: ImageFile) -> bool:
    """Return whether an opened picture is a HEIC file."""
    return picture.format == "HEIF"


def _find_class(data: bytes) -> Callable[[io.BytesIO], ImageFile]:
    for start, image_file in _FORMATS:
        if data.startswith(start):
            return image_file
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WebPImageFile
    brands = _brands(data)
    if not brands.isdisjoint(_AVIF_BRANDS):
        return AvifImageFile
    if not brands.isdisjoint((*_HEIC_BRANDS, *_GENERIC_BRANDS)):
        return _heic_class()
    raise DamagedImage(f"{_describe(data, brands)}; send a {SUPPORTED_FORMATS} file")


def _brands(data: bytes) -> set[bytes]:
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4]), _MAX_FTYP_BYTES)
    return {data[8:12], *(data[start : start + 4] for start in range(16, end, 4))}


def _heic_class() -> Callable[[io.BytesIO], ImageFile]:
    try:
        from pillow_heif.as_plugin import HeifImageFile  # the decoder of a few megabytes is rarely needed
    except ImportError:
        raise DamagedImage(
            "the picture is a HEIC file, which needs the package pillow-heif; install it, or send a JPEG file"
        ) from None
    found: Callable[[io.BytesIO], ImageFile] = HeifImageFile
    return found


def _describe(data: bytes, brands: set[bytes]) -> str:
    start = data[:64].lstrip().lower()
    for signature, name in _UNREAD_FORMATS:
        if data.startswith(signature) or start.startswith(signature):
            return f"the file is {name}, not a picture that is read"
    if data[_DICOM_PREAMBLE:].startswith(b"DICM"):
        return "the file is a DICOM file, not a picture that is read"
    if data.endswith(_TGA_END):
        return "the file is a TGA file, not a picture that is read"
    if brands:
        return "the file is a video or audio file (MP4), not a picture"
    if data.startswith(b"RIFF"):
        return "the file is a video or audio file (RIFF), not a picture"
    return f"the {len(data)} bytes are not a picture file"


class _File(io.BytesIO):
    """A file that ends with an error if it has very many parts.

    Pillow reads each part of a header in Python: a file that consists of parts of a few bytes would take
    seconds, and many times its own memory.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads_left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ValueError("it has too many parts")
        return super().read(size)
