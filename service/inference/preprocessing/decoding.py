"""Decodes picture files into upright images with 8 bits per channel."""

import ctypes
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL
from PIL import ExifTags, Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from service.inference.defaults import DEFAULT_MAX_PIXELS as DEFAULT_MAX_PIXELS
from service.inference.errors import DamagedImage, InputTooLarge
from service.inference.preprocessing.decoder_work import decoded_pixels, has_many_scans
from service.inference.preprocessing.picture_formats import SUPPORTED_FORMATS, is_heic, open_file
from service.inference.preprocessing.plain_png import decode_plain_png

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
_AVIF_AND_HEIC_BYTES_PER_PIXEL = (26, 20)
# The decoders of these files keep a copy of the whole picture.
_DECODER_BYTES_PER_PIXEL = 5
_BYTES_PER_PIXEL_OF_A_TILE = 8  # of four channels of 16 bits
# 200-megapixel photos of phones are read, and no file takes more than a few seconds.
_MOST_TIMES_REDUCED = 5
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
        data: A PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC file.
        max_pixels: Largest width x height. A JPEG file of up to five times as many is decoded at a reduced
            scale, unless it is progressive.

    Returns:
        An image of mode ``L``, ``RGB``, or ``RGBA`` if the file has transparency. A picture of 16 megapixels
        or more is reduced by an integer factor.

    Raises:
        DamagedImage: The bytes are not such a file, or it is damaged or truncated.
        InputTooLarge: The picture has too many pixels.
    """
    return load_image(open_image(data, max_pixels=max_pixels))


def open_image(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, reduce_jpeg: bool = True) -> Image.Image:
    """Read the header of a picture file and check the size, with the errors of :func:`decode_image`.

    Args:
        data: As for :func:`decode_image`.
        max_pixels: As for :func:`decode_image`.
        reduce_jpeg: Whether a JPEG file with more pixels may be decoded at a reduced scale.

    Returns:
        A picture whose pixels are not decoded yet, unless it is small.
    """
    if not data:
        raise DamagedImage(f"the picture is empty (0 bytes); send a {SUPPORTED_FORMATS} file")
    plain = decode_plain_png(data, max_pixels=max_pixels)
    if plain is not None:
        return plain
    picture = _open(data)
    too_large = decoded_pixels(picture) > max_pixels
    if too_large and not (reduce_jpeg and _reduce_while_decoding(picture, max_pixels)):
        raise InputTooLarge(
            f"the picture has {picture.width} x {picture.height} pixels{_padding(picture)}, more than "
            f"{max_pixels}; send a smaller one"
        )
    if isinstance(picture, JpegImageFile) and has_many_scans(data):
        raise DamagedImage("the picture has more scans than any program writes; save it again as JPEG")
    return picture


def picture_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture file in pixels, before any reduction.

    Raises:
        DamagedImage: The file is not a picture.
    """
    return _open(data).size


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
    elif isinstance(picture, AvifImageFile) or (isinstance(picture, ImageFile) and is_heic(picture)):
        per_pixel = _AVIF_AND_HEIC_BYTES_PER_PIXEL
    elif "transparency" in picture.info:
        per_pixel = _BYTES_PER_PIXEL["RGBA"]
    whole, reduced = per_pixel
    if isinstance(picture, TiffImageFile) or picture.info.get("progressive"):
        reduced += _DECODER_BYTES_PER_PIXEL
    pixels = picture.width * picture.height
    beyond = (decoded_pixels(picture) - pixels) * _BYTES_PER_PIXEL_OF_A_TILE
    return pixels * (reduced if _reduction_factor(picture) > 1 else whole) + beyond


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
    if picture.getchannel("A").getextrema() == (255, 255):
        return picture.convert("RGB")
    canvas = Image.new("RGB", picture.size, (background, background, background))
    canvas.paste(picture, mask=picture)
    return canvas


def to_rgb(picture: Image.Image) -> Image.Image:
    """Return a picture in mode ``RGB``; it itself if it has that mode, where Pillow would copy it."""
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _padding(picture: ImageFile) -> str:
    """Return in words how many pixels its tiles have, if they reach beyond the picture."""
    pixels = decoded_pixels(picture)
    return f" in tiles of {pixels} pixels" if pixels > picture.width * picture.height else ""


def _open(data: bytes) -> ImageFile:
    try:
        return open_file(data)
    except DamagedImage:
        raise
    except Exception as error:  # Pillow's decoders raise many types of exceptions for malformed files.
        raise _decoding_error(error) from error


def _reduce_while_decoding(picture: ImageFile, max_pixels: int) -> bool:
    """Let libjpeg decode a JPEG file at a half, a quarter or an eighth of its scale; return whether it fits.

    That is not done for progressive files, of which libjpeg keeps the whole picture.
    """
    pixels = picture.width * picture.height
    if not isinstance(picture, JpegImageFile) or picture.info.get("progressive"):
        return False
    if pixels > _MOST_TIMES_REDUCED * max_pixels:
        return False
    for factor in (2, 4, 8):
        size = -(-picture.width // factor), -(-picture.height // factor)
        if size[0] * size[1] <= max_pixels:
            picture.draft(None, size)
            return True
    return False


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
        return Image.fromarray(_stretch(np.asarray(picture)))
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if "transparency" in picture.info or "A" in picture.getbands() or picture.mode in ("PA", "La", "RGBa"):
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _stretch(levels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Convert grey levels of more than 8 bits to 8 bits.

    Files of 16 bits often hold the 10, 12 or 14 bits of a camera or scanner. The smallest depth that holds
    all levels counts, so that such pictures are not nearly black. In 16 bits, every 8-bit level corresponds
    to exactly one level, because 65535 / 257 = 255.

    Args:
        levels: Integers of any shape.
    """
    highest = int(levels.max())
    white = next((2**bits - 1 for bits in (8, 10, 12, 14, 16) if highest < 2**bits), highest)
    # Single precision takes half of the memory.
    scaled: npt.NDArray[np.float32] = np.multiply(levels, 255 / white, dtype=np.float32)
    np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def _decoding_error(error: Exception) -> InputTooLarge | DamagedImage:
    # Pillow's WebP and TIFF classes also apply the limit of the process.
    if isinstance(error, Image.DecompressionBombError):
        return InputTooLarge(f"the picture is too large: {error}; send a smaller one")
    # Pillow's classes unpack the numbers of a header without looking how many bytes are left.
    if isinstance(error.__cause__, struct.error) or "truncated" in str(error).lower():
        return DamagedImage(
            f"the picture is incomplete, its file ends too early; send a whole {SUPPORTED_FORMATS} file"
        )
    return DamagedImage(
        f"the picture is damaged or of an unusual kind ({error}); save it again as PNG or JPEG"
    )
