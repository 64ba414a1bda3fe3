"""Finds out what a decoder has to do for a small picture file: the tiles of TIFF, and the scans of JPEG."""

import re

from PIL import Image
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile

# Progressive files have about ten scans, for each of which libjpeg goes through all pixels.
_MOST_SCANS = 64
_MOST_MARKERS = 10_000
# A marker within the data of a scan, or between segments. Markers below C0, and those of restarts, D0 to D7,
# have no length.
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
_START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"
# The interpreter runs nothing else while it searches for a marker.
_PIECE_BYTES = 1_000_000
_LENGTH_BYTES = 2


def decoded_pixels(picture: Image.Image) -> int:
    """Return how many pixels are decoded: the tiles of a TIFF file can reach far beyond its picture.

    Args:
        picture: As ``open_image`` returns it.
    """
    width, height = picture.size
    if isinstance(picture, TiffImageFile):
        sides = picture.tag_v2.get(TILEWIDTH), picture.tag_v2.get(TILELENGTH)
        # libtiff takes no other type of number.
        across, down = (side if isinstance(side, int) and side > 0 else 1 for side in sides)
        width, height = -(-width // across) * across, -(-height // down) * down
    return width * height


def has_many_scans(data: bytes) -> bool:
    """Return whether a JPEG file has so many scans that it takes minutes to decode a file of some kilobytes.

    Args:
        data: A JPEG file. What follows its picture, such as a film, does not count.
    """
    # Elsewhere than at a scan, the two bytes are rare.
    if data.count(b"\xff" + _START_OF_SCAN) <= _MOST_SCANS:
        return False
    position = scans = 0
    for _ in range(_MOST_MARKERS):
        marker = _next_marker(data, position)
        if marker is None or marker[1] == _END_OF_IMAGE:
            return False
        position = marker.end()
        if marker.start():  # The file begins with a marker that has no length.
            length = int.from_bytes(data[position : position + _LENGTH_BYTES])
            position += max(length, _LENGTH_BYTES)
        scans += marker[1] == _START_OF_SCAN
        if scans > _MOST_SCANS:
            break
    return True


def _next_marker(data: bytes, position: int) -> re.Match[bytes] | None:
    pieces = range(position, len(data), _PIECE_BYTES)
    found = (_MARKER.search(data, start, start + _PIECE_BYTES + 1) for start in pieces)
    return next(filter(None, found), None)
