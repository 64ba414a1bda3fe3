"""Owns the short way into the plainest of PNG files, which drawing programs and data sets are full of."""

import zlib

from PIL import Image

# Signature; the header's chunk with length, name, width, height, five bytes and checksum; the pixels' chunk.
_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_WIDTH, _HEIGHT = slice(16, 20), slice(20, 24)
# Eight bits a sample, grey, deflate, the standard's filters, not interlaced.
_KIND = slice(24, 29)
_PLAIN = b"\x08\x00\x00\x00\x00"
_HEADER, _HEADER_CHECKSUM = slice(12, 29), slice(29, 33)
_LENGTH, _NAME, _PIXELS = slice(33, 37), slice(37, 41), 41
# After the pixels: their checksum, and the chunk that ends every file.
_CHECKSUM_BYTES = 4
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_MOST_PIXELS = 1 << 16


def decode_plain_png(data: bytes) -> Image.Image | None:
    """Decode a small grey PNG file that has nothing but a header and one chunk of pixels.

    Pillow's own code in C reads the pixels here too; what is left out is finding out which kind of file it
    is, and what else there might be in it, which takes four times as long for a digit.

    Args:
        data: The file.

    Returns:
        A picture of mode ``L``; None if the file is of another kind, or damaged: Pillow will say which.
    """
    if data[:16] != _START or data[_KIND] != _PLAIN or data[_NAME] != b"IDAT" or data[-12:] != _END:
        return None
    width, height = int.from_bytes(data[_WIDTH], "big"), int.from_bytes(data[_HEIGHT], "big")
    end = _PIXELS + int.from_bytes(data[_LENGTH], "big")
    if not 0 < width * height <= _MOST_PIXELS or len(data) != end + _CHECKSUM_BYTES + len(_END):
        return None
    if zlib.crc32(data[_HEADER]) != int.from_bytes(data[_HEADER_CHECKSUM], "big"):
        return None
    try:
        return Image.frombytes("L", (width, height), data[_PIXELS:end], "zip", "L")
    except ValueError:
        return None
