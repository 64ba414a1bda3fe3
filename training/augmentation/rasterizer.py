"""Rasterises pen strokes: draws lines into a picture, and widens lines of one pixel to the width of a pen."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Points = npt.NDArray[np.float64]
_INK_LEVEL = 127


def draw_strokes(
    image: Image.Image,
    strokes: Iterable[Points],
    *,
    width: float = 1.0,
    ink: int = 255,
    round_pen: bool = True,
) -> None:
    """Draw strokes into a picture without anti-aliasing; for that, draw on a larger picture and reduce it.

    Args:
        image: Mode ``L``; changed in place.
        strokes: float64 (points, 2) each, x to the right and y downwards, in pixels.
        width: Width of the pen, in pixels.
        ink: Grey level of the lines, 0 to 255.
        round_pen: Put a disc of the pen's width on every point, so that ends and joints are round.
    """
    draw = ImageDraw.Draw(image)
    radius = width / 2
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in stroke]
        if len(points) > 1:
            draw.line(points, fill=ink, width=round(width))
        if round_pen:
            for x, y in points:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


def widen_line(line: npt.NDArray[np.bool_], *, width: float) -> Image.Image:
    """Draw along a line of one pixel with a round pen, with anti-aliased edges.

    Args:
        line: bool (height, width), true on the line.
        width: Width of the pen, in pixels; at least 2.

    Returns:
        A picture of mode ``L``, light ink on black.
    """
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~line)
    coverage = np.clip(max(width / 2, 1.0) - distance + 0.5, 0, 1)
    return Image.fromarray((coverage * 255).astype(np.uint8))


def trace_centre_line(picture: Image.Image, *, width: float) -> Image.Image:
    """Redraw light ink on black along its centre line with a round pen.

    Args:
        picture: Mode ``L``; its margin is as wide as the pen at least.
        width: Width of the pen, in pixels; at least 2.

    Returns:
        A picture of mode ``L`` and the same size.
    """
    # scikit-image is slow to import, and only this function needs it.
    from skimage.morphology import skeletonize

    return widen_line(skeletonize(np.asarray(picture) > _INK_LEVEL), width=width)
