"""Decodes small PNG files quickly."""

import zlib

from PIL import Image

# Layout: signature; IHDR chunk with length, name, width, height, five bytes and checksum; IDAT chunk.
_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_WIDTH, _HEIGHT = slice(16, 20), slice(20, 24)
# Eight bits per sample, kind of colours, deflate, standard filters, not interlaced.
_FORMAT = slice(24, 29)
_MODES = {
    b"\x08\x00\x00\x00\x00": "L",
    b"\x08\x02\x00\x00\x00": "RGB",
    b"\x08\x06\x00\x00\x00": "RGBA",
}
_HEADER, _HEADER_CHECKSUM = slice(12, 29), slice(29, 33)
_LENGTH, _NAME, _PIXELS = slice(33, 37), slice(37, 41), 41
# After the pixels: their checksum, and the IEND chunk.
_CHECKSUM_BYTES = 4
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_MAX_PIXELS = 512 * 512


def decode_plain_png(data: bytes, *, max_pixels: int) -> Image.Image | None:
    """Decode a small PNG file that consists of a header and one chunk of pixels.

    Most of the time that Pillow needs for a very small file goes into detecting its format and parsing its
    metadata. This function skips both and uses only Pillow's decoder of the pixels.

    Args:
        data: The file.
        max_pixels: Largest width x height.

    Returns:
        An image of mode ``L``, ``RGB`` or ``RGBA``, or None if the file is larger, of another kind, or
        damaged.
    """
    mode = _MODES.get(data[_FORMAT])
    if mode is None or data[:16] != _START or data[_NAME] != b"IDAT" or data[-12:] != _END:
        return None
    width, height = int.from_bytes(data[_WIDTH], "big"), int.from_bytes(data[_HEIGHT], "big")
    end = _PIXELS + int.from_bytes(data[_LENGTH], "big")
    if not 0 < width * height <= min(max_pixels, _MAX_PIXELS):
        return None
    if len(data) != end + _CHECKSUM_BYTES + len(_END):
        return None
    if zlib.crc32(data[_HEADER]) != int.from_bytes(data[_HEADER_CHECKSUM], "big"):
        return None
    try:
        return Image.frombytes(mode, (width, height), data[_PIXELS:end], "zip", mode)
    except ValueError:
        return None
