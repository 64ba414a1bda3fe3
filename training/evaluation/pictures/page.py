"""Places a digit on a page that has no surface, light and colours yet.

Lengths are shares of the page's longer side.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Colour = tuple[float, float, float]  # red, green and blue, 0 to 1

BLACK: Colour = (0.1, 0.1, 0.12)
_SIDES = (60, 2000)  # pixels
_DIGIT = (0.35, 0.7)  # height of MNIST's box of 28 pixels, as a share of the shorter side
_MAX_DEGREES = 10.0


@dataclass(frozen=True)
class Page:
    """The coordinates of a page, in pixels from its middle, rotated with the digit; and the digit's ink."""

    x: Floats  # (height, width)
    y: Floats  # (height, width)
    ink: Floats  # (height, width), 0 to 1
    rng: np.random.Generator

    @property
    def side(self) -> int:
        """The longer side in pixels."""
        height, width = self.x.shape
        return int(max(height, width))

    def uniform(self, low: float, high: float) -> float:
        """Draw a number from a range."""
        return float(self.rng.uniform(low, high))

    def written(self, paper: Floats, colour: Colour = BLACK, *, strength: float = 1.0) -> Floats:
        """Return the page with its digit, (height, width, 3)."""
        opacity = (self.ink * strength)[..., None]
        return paper * (1 - opacity) + np.array(colour) * opacity

    def filled(self, *colour: float) -> Floats:
        """Return a page of one colour, (height, width, 3)."""
        return np.full((*self.x.shape, 3), colour, dtype=np.float64)


def place_digit(digit: Pixels, rng: np.random.Generator) -> Page:
    """Put a digit on a new page, in a random size and place, and rotated a little.

    Args:
        digit: uint8 (28, 28), white on black, as in MNIST.
        rng: Chooses the page's size too.
    """
    longer = round(float(np.exp(rng.uniform(*np.log(_SIDES)))))
    shorter = round(longer * rng.uniform(0.65, 1))
    height, width = (longer, shorter) if rng.random() < 0.5 else (shorter, longer)
    angle = float(np.deg2rad(rng.uniform(-_MAX_DEGREES, _MAX_DEGREES)))
    rows, columns = np.mgrid[:height, :width] + 0.5
    across, down = columns - width / 2, rows - height / 2
    x, y = across * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - across * np.sin(angle)
    size = rng.uniform(*_DIGIT) * shorter
    space = max(0.0, 0.72 * shorter - size) / 2
    left, top = rng.uniform(-space, space, 2) - size / 2
    # The inverse of the map from the digit's pixels to the page's.
    scale = 28 / size
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    at_x = -cosine * width / 2 - sine * height / 2 - left * scale
    at_y = sine * width / 2 - cosine * height / 2 - top * scale
    source = Image.fromarray(digit).resize((28 * 8, 28 * 8), Image.Resampling.BICUBIC)
    coefficients = tuple(8 * value for value in (cosine, sine, at_x, -sine, cosine, at_y))
    ink = source.transform((width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)
    return Page(x, y, np.asarray(ink, dtype=np.float64) / 255, rng)
