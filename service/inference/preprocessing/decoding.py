"""Owns the way from the bytes of a picture file to upright 8-bit pixels."""

import contextlib
import io
import math
import threading

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from service.inference.errors import DamagedImage, InputTooLarge
from service.inference.preprocessing.plain_png import decode_plain_png

DEFAULT_MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")

# The limit of the caller replaces Pillow's own, which would warn below it or refuse above it.
Image.MAX_IMAGE_PIXELS = None

# What undoes each of EXIF's orientations; 1 is upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Networks look at a few dozen to a few hundred pixels a side; what comes after decoding takes many times the
# memory of the pixels, and two photos of 40 megapixels at once must fit into a small container.
_LARGE = 4_000_000
_few_at_once = threading.BoundedSemaphore(2)
_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def decode_image(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode a picture: first frame, upright by EXIF, eight bits a channel, large ones averaged down.

    The size is read from the header and checked before any pixel is decoded.

    Args:
        data: A PNG, JPEG, WebP, GIF, BMP or TIFF file.
        max_pixels: Largest width x height that is accepted.

    Returns:
        A picture of mode ``L``, ``RGB`` or, where the file has transparency, ``RGBA``; one of 16 megapixels
        or more by a whole factor smaller than the file's.

    Raises:
        DamagedImage: The bytes are no such picture, or end too early.
        InputTooLarge: The picture has more than ``max_pixels`` pixels.
    """
    if not data:
        raise DamagedImage("the picture is empty (0 bytes); send a PNG, JPEG, WebP, GIF, BMP or TIFF file")
    plain = decode_plain_png(data)
    if plain is not None and plain.width * plain.height <= max_pixels:
        return plain
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise DamagedImage(
            f"the {len(data)} bytes are not a picture that can be read here; send {', '.join(FORMATS)}"
        ) from error
    except Exception as error:  # Decoders fed with hostile bytes raise whatever they stumble over.
        raise _damaged(error) from error
    if picture.width * picture.height > max_pixels:
        raise InputTooLarge(
            f"the picture has {picture.width} x {picture.height} pixels, more than {max_pixels}; "
            "send a smaller one"
        )
    try:
        with _few_at_once if _factor(picture) > 1 else contextlib.nullcontext():
            picture.load()
            turn = _turn_of(picture)
            small = _reduced(_eight_bit(picture))
        return small if turn is None else small.transpose(turn)
    except Exception as error:  # As above: truncated and crafted files fail in the decoder, in many ways.
        raise _damaged(error) from error


def on_page(picture: Image.Image, page: int) -> Image.Image:
    """Lay a picture on a plain page, so that nothing of it is transparent.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``.
        page: Grey level of the page, 0 (black) to 255 (white).

    Returns:
        The picture itself if it is opaque, otherwise a new one of mode ``RGB``.
    """
    if picture.mode != "RGBA":
        return picture
    sheet = Image.new("RGBA", picture.size, (page, page, page, 255))
    return Image.alpha_composite(sheet, picture).convert("RGB")


def _reduced(picture: Image.Image) -> Image.Image:
    """Average a picture of 16 megapixels or more down by the whole factor that leaves 4 to 9."""
    factor = _factor(picture)
    if factor < 2:
        return picture
    return picture.reduce((min(factor, picture.width), min(factor, picture.height)))


def _factor(picture: Image.Image) -> int:
    return math.isqrt(picture.width * picture.height // _LARGE)


def _turn_of(picture: Image.Image) -> Image.Transpose | None:
    # Pillow's own exif_transpose also writes the whole EXIF block anew, and fails where a camera's is odd.
    try:
        exif = picture.getexif()
    except Exception:  # As many kinds as there are ways to damage it; the pixels are good all the same.
        return None
    return _TURNS.get(exif.get(ExifTags.Base.Orientation.value, 1))


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BIT_MODES:
        levels = np.asarray(picture)
        if levels.dtype.itemsize > 2:
            levels = np.clip(levels, 0, 65535)
        # 65535 / 257 = 255: every 8-bit level has its exact 16-bit counterpart.
        return Image.fromarray((levels // 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("pixels are floating-point numbers of unknown range")
    if "transparency" in picture.info or "A" in picture.getbands() or picture.mode in ("PA", "La", "RGBa"):
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    wanted = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == wanted else picture.convert(wanted)


def _damaged(error: Exception) -> DamagedImage:
    return DamagedImage(
        f"the picture is damaged or of an unusual kind ({error}); save it again as PNG or JPEG"
    )
