"""Owns the way from the bytes of a picture file to upright 8-bit pixels."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from service.inference.errors import DamagedImage, InputTooLarge

DEFAULT_MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")

# The limit of the caller replaces Pillow's own, which would warn below it or refuse above it.
Image.MAX_IMAGE_PIXELS = None

_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def decode_image(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode a picture: first frame, upright by EXIF, eight bits a channel.

    The size is read from the header and checked before any pixel is decoded.

    Args:
        data: A PNG, JPEG, WebP, GIF, BMP or TIFF file.
        max_pixels: Largest width x height that is accepted.

    Returns:
        A picture of mode ``L``, ``RGB`` or, where the file has transparency, ``RGBA``.

    Raises:
        DamagedImage: The bytes are no such picture, or end too early.
        InputTooLarge: The picture has more than ``max_pixels`` pixels.
    """
    if not data:
        raise DamagedImage("the picture is empty (0 bytes); send a PNG, JPEG, WebP, GIF, BMP or TIFF file")
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
        picture.load()
        return _eight_bit(ImageOps.exif_transpose(picture))
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


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BIT_MODES:
        levels = np.asarray(picture).astype(np.int64)
        # 65535 / 257 = 255: every 8-bit level has its exact 16-bit counterpart.
        return Image.fromarray((np.clip(levels, 0, 65535) // 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("pixels are floating-point numbers of unknown range")
    if "transparency" in picture.info or "A" in picture.getbands() or picture.mode in ("PA", "La", "RGBa"):
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _damaged(error: Exception) -> DamagedImage:
    return DamagedImage(
        f"the picture is damaged or of an unusual kind ({error}); save it again as PNG or JPEG"
    )
