"""Finds the ink of handwriting in drawings, scans and photos of paper, boards and screens."""

import numpy as np
from PIL import Image

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten
from service.inference.preprocessing.paper import drop_frame, drop_specks, find_paper_ink
from service.inference.preprocessing.plain import BLANK, Ink, background_for, find_plain_ink, shape_of

_WHITE = 255


def find_ink(picture: Image.Image) -> Ink:
    """Find the ink on a page with uneven light, ruled lines, frames, specks or a desk around it.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, dark on light or light on dark, in any colours.

    Returns:
        float32 array (height, width), 0 where there is no ink to 255 for full ink. A picture with a side of
        more than 1,280 pixels is reduced to that first, unless it is a plain drawing.

    Raises:
        BlankImage: There is no ink on the picture.
        FaintInk: The contrast of the ink is too low.
    """
    ink = find_raw_ink(picture)
    strongest = float(ink.max(initial=0))
    if strongest <= 0:
        raise BlankImage(BLANK)
    return ink * np.float32(_WHITE / strongest)


def find_raw_ink(picture: Image.Image) -> Ink:
    """Find the ink as :func:`find_ink` does, with the strength that it has in the picture."""
    flat = flatten(picture, background=background_for(picture))
    levels = np.asarray(flat if flat.mode == "L" else flat.convert("L"))
    plain = find_plain_ink(levels)
    kind = None if plain is None else shape_of(plain)
    if plain is not None and kind == "strokes":
        return plain
    if plain is not None and kind == "framed":
        inside = drop_frame(plain)
        if inside.any():
            return drop_specks(inside)
    if plain is not None and kind == "parts":
        return drop_specks(plain)
    try:
        return find_paper_ink(flat)
    except BlankImage:
        if plain is None:
            raise
        return plain
