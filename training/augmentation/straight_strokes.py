"""Draws ones as straight strokes with or without a flag.

A person draws such a one on a pad in a second. MNIST has few that are as straight, as thin or as thick.
"""

import numpy as np
import numpy.typing as npt

from service.inference.preprocessing.edges import soften_drawing
from training.augmentation.drawing_cache import draw_randomly
from training.augmentation.stroke_templates import Points
from training.augmentation.strokes import DrawingStyle, draw_template

Pictures = npt.NDArray[np.uint8]
_VERSION = 3  # increase it when the drawings change, so that cached ones are not used
_CHUNK = 1_000  # pictures that a worker process draws at a time
# Width of the pen as a share of the stroke's length, from a hairline to a mark that is hardly longer than
# wide; its logarithm is uniform.
_PEN_WIDTH = (0.025, 0.9)
# Tangent of the angle to the vertical; positive leans to the right, as most hands do.
_SLANT = (-0.25, 0.45)
# Many people draw a one upright on a screen.
_UPRIGHT_SLANT, _UPRIGHT_SHARE = 0.02, 0.5
_FLAG_SHARE = 0.5
_FLAG_ANGLE = (0.2, 1.35)  # radians from the stem
# Shares of the height. A flag that is long and flat looks like the top of a seven.
_STEEP, _STEEP_LENGTH, _FLAT_LENGTH = 0.8, (0.12, 0.65), (0.12, 0.42)


def draw_straight_ones(count: int) -> Pictures:
    """Draw ones as straight strokes; the data cache keeps the result.

    Args:
        count: Number of pictures.

    Returns:
        uint8 (count, 28, 28), light on dark, preprocessed like digits; the same ones for each call.
    """
    return draw_randomly("straight-ones", _draw, count=count, version=_VERSION, chunk=_CHUNK)


def sample_straight_one(rng: np.random.Generator) -> list[Points]:
    """Return an upright stroke of height 1, perhaps with a flag at the left of its head.

    Args:
        rng: Chooses the flag.

    Returns:
        One or two float64 (2, 2) arrays, x to the right and y downwards.
    """
    strokes = [np.array([(0.0, 0.0), (0.0, 1.0)])]
    if rng.random() < _FLAG_SHARE:
        angle = rng.uniform(*_FLAG_ANGLE)
        length = rng.uniform(*(_STEEP_LENGTH if angle < _STEEP else _FLAT_LENGTH))
        strokes.append(np.array([(0.0, 0.0), (-np.sin(angle) * length, np.cos(angle) * length)]))
    return strokes


def _draw(rng: np.random.Generator) -> Pictures:
    thinnest, thickest = np.log(_PEN_WIDTH)
    upright = rng.random() < _UPRIGHT_SHARE
    slant = rng.uniform(-_UPRIGHT_SLANT, _UPRIGHT_SLANT) if upright else rng.uniform(*_SLANT)
    style = DrawingStyle(pen_width=float(np.exp(rng.uniform(thinnest, thickest))), slant=slant)
    return soften_drawing(draw_template(sample_straight_one(rng), style=style, rng=rng))
