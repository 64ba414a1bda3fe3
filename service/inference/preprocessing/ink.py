"""Finds the ink of handwriting in drawings, scans and photos of paper, boards and screens."""

import numpy as np
from PIL import Image

from service.inference.errors import BlankImage, InputTooLarge
from service.inference.preprocessing.decoding import flatten
from service.inference.preprocessing.paper import drop_frame, drop_shadow, drop_specks, find_paper_ink
from service.inference.preprocessing.plain import (
    BLANK,
    CroppedInk,
    Drawing,
    Ink,
    background_for,
    crop_ink,
    find_drawing,
    shape_of,
)

_WHITE = 255


def find_ink(picture: Image.Image) -> Ink:
    """Find the ink on a page with uneven light, ruled lines, frames, specks or a desk around it.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, dark on light or light on dark, in any colours.

    Returns:
        float32 array (height, width), 0 where there is no ink to 255 for full ink. A picture that is no plain
        drawing is first reduced to a longer side of at most 1,280 pixels, or enlarged to at least 160.

    Raises:
        BlankImage: There is no ink on the picture.
        FaintInk: The contrast of the ink is too low.
    """
    found = _find(picture)
    ink = found.ink() if isinstance(found, Drawing) else found
    strongest = float(ink.max(initial=0))
    if strongest <= 0:
        raise BlankImage(BLANK)
    return ink * np.float32(_WHITE / strongest)


def find_cropped_ink(picture: Image.Image, *, may_search: bool = True) -> CroppedInk:
    """Find the ink as :func:`find_ink` does, in its bounding box and as strong as it is in the picture.

    Args:
        picture: As for :func:`find_ink`.
        may_search: Whether a page that is no plain drawing may be searched, which takes longer.

    Raises:
        InputTooLarge: The page would have to be searched, and may not.
    """
    found = _find(picture, may_search=may_search)
    return found.cropped if isinstance(found, Drawing) else crop_ink(found)


def _find(picture: Image.Image, *, may_search: bool = True) -> Drawing | Ink:
    flat = flatten(picture, background=background_for(picture))
    levels = np.asarray(flat if flat.mode == "L" else flat.convert("L"))
    drawing = find_drawing(levels)
    kind = None if drawing is None else shape_of(drawing)
    if drawing is not None and drawing.reaches_edge and kind in ("strokes", "parts"):
        ink = drawing.ink()
        lit = drop_shadow(ink)
        if lit is not ink:
            return lit
    if drawing is not None and kind == "strokes":
        return drawing
    if drawing is not None and kind == "framed":
        inside = drop_frame(drawing.ink())
        if inside.any():
            return drop_specks(inside)
    if drawing is not None and kind == "parts":
        return drop_specks(drawing.ink())
    if not may_search:
        raise InputTooLarge("the page is so uneven that it has to be searched for ink")
    try:
        return find_paper_ink(flat)
    except BlankImage:
        if drawing is None:
            raise
        return drawing
