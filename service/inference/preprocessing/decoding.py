"""Decodes picture files into upright images with 8 bits per channel."""

import ctypes
import io
import math
from pathlib import Path

import numpy as np
import PIL
from PIL import ExifTags, Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from service.inference.defaults import DEFAULT_MAX_PIXELS as DEFAULT_MAX_PIXELS
from service.inference.errors import DamagedImage, InputTooLarge
from service.inference.preprocessing.plain_png import decode_plain_png

# Pillow's classes are used directly: Image.open would also apply Image.MAX_IMAGE_PIXELS, which is a setting
# of the whole process and belongs to the application.
_FORMATS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"\xff\xd8\xff", JpegImageFile),
    (b"RIFF", WebPImageFile),
    (b"GIF8", GifImageFile),
    (b"BM", BmpImageFile),
    (b"II", TiffImageFile),
    (b"MM", TiffImageFile),
)
_FORMAT_NAMES = "PNG, JPEG, WebP, GIF, BMP or TIFF"

# The transposition that makes a picture of each EXIF orientation upright; orientation 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The steps after decoding need many times the memory of the pixels, so large pictures are reduced.
_REDUCED_PIXELS = 4_000_000
# Bytes that decoding and preparing take for each pixel at most, by the mode of the file: of pictures that are
# not reduced, and of those that are.
_BYTES_PER_PIXEL = {
    "1": (12, 4),
    "L": (12, 4),
    "P": (14, 7),
    "RGB": (14, 7),
    "RGBA": (18, 11),
    "CMYK": (14, 10),
    "LA": (18, 14),
    "I;16": (12, 8),
}
_MOST_BYTES_PER_PIXEL = (18, 18)
_WEBP_BYTES_PER_PIXEL = (26, 18)
# The decoders of these files keep a copy of the whole picture.
_DECODER_BYTES_PER_PIXEL = 5
# A PNG file of 16 MB with chunks of 1 KB takes 50,000.
_MAX_READS = 100_000
_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def silence_libtiff() -> None:
    """Keep libtiff, with which Pillow decodes TIFF files, from writing messages to standard error by itself.

    This holds for the whole process, so that the application calls it. It knows the libtiff that Pillow's
    wheels contain; with another one nothing changes. Errors still reach Pillow.
    """
    for path in Path(PIL.__file__).parents[1].glob("pillow.libs/libtiff*"):
        library = ctypes.CDLL(str(path))
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


def decode_image(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode a picture file.

    Of an animation the first frame is decoded. The picture is turned upright by its EXIF orientation. Its
    size is read from the header and checked before the pixels are decoded.

    Args:
        data: A PNG, JPEG, WebP, GIF, BMP or TIFF file.
        max_pixels: Largest width x height that is accepted.

    Returns:
        An image of mode ``L``, ``RGB``, or ``RGBA`` if the file has transparency. A picture of 16 megapixels
        or more is reduced by an integer factor.

    Raises:
        DamagedImage: The bytes are not such a file, or it is damaged or truncated.
        InputTooLarge: The picture has more than ``max_pixels`` pixels.
    """
    return load_image(open_image(data, max_pixels=max_pixels))


def open_image(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Read the header of a picture file and check the size, with the arguments and errors of decode_image.

    Returns:
        A picture whose pixels are not decoded yet, unless it is small.
    """
    if not data:
        raise DamagedImage(f"the picture is empty (0 bytes); send a {_FORMAT_NAMES} file")
    plain = decode_plain_png(data)
    if plain is not None and plain.width * plain.height <= max_pixels:
        return plain
    picture = _open(data)
    if picture.width * picture.height > max_pixels:
        raise InputTooLarge(
            f"the picture has {picture.width} x {picture.height} pixels, more than {max_pixels}; "
            "send a smaller one"
        )
    return picture


def load_image(picture: Image.Image) -> Image.Image:
    """Decode the pixels of an opened picture; result and errors as for :func:`decode_image`."""
    if not isinstance(picture, ImageFile):
        return picture
    try:
        picture.load()
        transposition = _exif_transposition(picture)
        small = _reduce(_to_eight_bits(picture))
        return small if transposition is None else small.transpose(transposition)
    except Exception as error:  # Pillow's decoders raise many types of exceptions for malformed files.
        raise _decoding_error(error) from error


def decoding_memory(picture: Image.Image) -> int:
    """Return how many bytes it takes to decode and prepare an opened picture.

    Args:
        picture: As :func:`open_image` returns it.
    """
    per_pixel = _BYTES_PER_PIXEL.get(picture.mode, _MOST_BYTES_PER_PIXEL)
    if isinstance(picture, WebPImageFile):
        per_pixel = _WEBP_BYTES_PER_PIXEL
    elif "transparency" in picture.info:
        per_pixel = _BYTES_PER_PIXEL["RGBA"]
    whole, reduced = per_pixel
    if isinstance(picture, TiffImageFile) or picture.info.get("progressive"):
        reduced += _DECODER_BYTES_PER_PIXEL
    return picture.width * picture.height * (reduced if _reduction_factor(picture) > 1 else whole)


def flatten(picture: Image.Image, *, background: int) -> Image.Image:
    """Remove transparency by compositing a picture over a uniform background.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``.
        background: Grey level of the background, 0 (black) to 255 (white).

    Returns:
        The picture itself if it is opaque, otherwise a new one of mode ``RGB``.
    """
    if picture.mode != "RGBA":
        return picture
    canvas = Image.new("RGBA", picture.size, (background, background, background, 255))
    canvas = Image.alpha_composite(canvas, picture)
    return canvas.convert("RGB")


def to_rgb(picture: Image.Image) -> Image.Image:
    """Return a picture in mode ``RGB``; it itself if it has that mode, where Pillow would copy it."""
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _open(data: bytes) -> ImageFile:
    file_class = next((image_file for start, image_file in _FORMATS if data.startswith(start)), None)
    if file_class is None:
        raise DamagedImage(f"the {len(data)} bytes are not a picture file; send a {_FORMAT_NAMES} file")
    try:
        return file_class(_File(data))
    except Exception as error:  # Pillow's decoders raise many types of exceptions for malformed files.
        raise _decoding_error(error) from error


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


def _reduce(picture: Image.Image) -> Image.Image:
    """Reduce a picture of 16 megapixels or more to 4 to 9 megapixels, by averaging."""
    factor = _reduction_factor(picture)
    if factor < 2:
        return picture
    return picture.reduce((min(factor, picture.width), min(factor, picture.height)))


def _reduction_factor(picture: Image.Image) -> int:
    return math.isqrt(picture.width * picture.height // _REDUCED_PIXELS)


def _exif_transposition(picture: Image.Image) -> Image.Transpose | None:
    # Pillow's exif_transpose also rewrites the EXIF data, and fails if a camera wrote them incorrectly.
    try:
        exif = picture.getexif()
    except Exception:  # Damaged EXIF data raise many types of exceptions; the pixels are valid nevertheless.
        return None
    return _UPRIGHT.get(exif.get(ExifTags.Base.Orientation.value, 1))


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BIT_MODES:
        levels = np.asarray(picture)
        if levels.dtype.itemsize > 2:
            levels = np.clip(levels, 0, 65535)
        # 65535 / 257 = 255: every 8-bit level corresponds to exactly one 16-bit level.
        return Image.fromarray((levels // 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if "transparency" in picture.info or "A" in picture.getbands() or picture.mode in ("PA", "La", "RGBa"):
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _decoding_error(error: Exception) -> InputTooLarge | DamagedImage:
    # Pillow's WebP and TIFF classes also apply the limit of the process.
    if isinstance(error, Image.DecompressionBombError):
        return InputTooLarge(f"the picture is too large: {error}; send a smaller one")
    return DamagedImage(
        f"the picture is damaged or of an unusual kind ({error}); save it again as PNG or JPEG"
    )
