"""Reduces pictures."""

from PIL import Image


def reduce_to(picture: Image.Image, longer_side: int) -> Image.Image:
    """Return a picture whose longer side has at most so many pixels, each the mean of those it covers."""
    if max(picture.size) <= longer_side:
        return picture
    factor = longer_side / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.BOX)
