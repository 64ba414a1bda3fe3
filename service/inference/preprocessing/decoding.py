"""Decodes picture files into upright images with 8 bits per channel."""

import contextlib
import io
import math
import threading

import numpy as np
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
# The steps after decoding need many times the memory of the pixels, so large pictures are reduced, and only
# two of them are decoded at a time: they must fit into a small container.
_REDUCED_PIXELS = 4_000_000
_large_pictures = threading.BoundedSemaphore(2)
_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


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
    try:
        with _large_pictures if _reduction_factor(picture) > 1 else contextlib.nullcontext():
            picture.load()
            transposition = _exif_transposition(picture)
            small = _reduce(_to_eight_bits(picture))
        return small if transposition is None else small.transpose(transposition)
    except Exception as error:  # Pillow's decoders raise many types of exceptions for malformed files.
        raise _decoding_error(error) from error


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
    return Image.alpha_composite(canvas, picture).convert("RGB")


def _open(data: bytes) -> ImageFile:
    file_class = next((image_file for start, image_file in _FORMATS if data.startswith(start)), None)
    if file_class is None:
        raise DamagedImage(f"the {len(data)} bytes are not a picture file; send a {_FORMAT_NAMES} file")
    try:
        return file_class(io.BytesIO(data))
    except Exception as error:  # Pillow's decoders raise many types of exceptions for malformed files.
        raise _decoding_error(error) from error


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
