"""Owns the changes that a model's robustness is measured under: what happens to pictures before they arrive.

The idea is that of Hendrycks and Dietterich 2019 (ImageNet-C). All are applied to the picture that a user
would send, before the model's own preprocessing, and scale with its size: a pixel of 28 is 6.4 of 180. What
comes into view at the edges is page (the median of the border) for digits and garments, and for photos the
photo mirrored at its edge.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

Pixels = npt.NDArray[np.uint8]
_SIDE = 28  # that sizes in pixels are meant for
_SHIFT = 2
_DEGREES = 15.0
_SMALLER, _LARGER = 0.7, 1.3
_SIGMA = 1.0
_NOISE = 0.1 * 255
_CONTRAST = 0.5
_QUALITY = 30
_FINER = 4  # strokes are thinned and thickened at this many times the size
_PEN = 5  # side of the square filter there: one pixel of 28, half of it on each side of a stroke

Change = Callable[[Pixels, np.random.Generator], Pixels]


@dataclass(frozen=True)
class Corruption:
    """One change.

    Attributes:
        name: As in the card.
        change: Takes one picture, uint8 (height, width) or (height, width, 3), and returns another.
        quality: Send it as JPEG of this quality; None for PNG.
    """

    name: str
    change: Change
    quality: int | None = None

    def file(self, picture: Pixels, rng: np.random.Generator) -> bytes:
        """Return the changed picture as the bytes of a file."""
        buffer = io.BytesIO()
        image = Image.fromarray(self.change(picture, rng))
        if self.quality is None:
            image.save(buffer, "PNG", compress_level=1)
        else:
            image.save(buffer, "JPEG", quality=self.quality)
        return buffer.getvalue()


def corruptions(*, digits: bool) -> tuple[Corruption, ...]:
    """Return all changes for a kind of picture, in the order of the table."""
    every = (
        Corruption("shift by 2 px of 28, right, left, down or up", _shift),
        Corruption("rotation by 15°, either way", _rotate),
        Corruption("scale 0.7", lambda picture, rng: _scale(picture, _SMALLER)),
        Corruption("scale 1.3", lambda picture, rng: _scale(picture, _LARGER)),
        Corruption("Gaussian blur, sigma 1 px of 28", _blur),
        Corruption("Gaussian noise, deviation 0.1 of the range", _add_noise),
        Corruption("contrast 0.5", _lower_contrast),
        Corruption("JPEG quality 30", unchanged, quality=_QUALITY),
    )
    if not digits:
        return every
    return (
        *every,
        Corruption(
            "thin strokes, 1 px of 28 less", lambda picture, rng: _rub(picture, ImageFilter.MinFilter)
        ),
        Corruption(
            "bold strokes, 1 px of 28 more", lambda picture, rng: _rub(picture, ImageFilter.MaxFilter)
        ),
        Corruption("inverted colours", lambda picture, rng: 255 - picture),
    )


def unchanged(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the picture as it is."""
    return picture


def _shift(picture: Pixels, rng: np.random.Generator) -> Pixels:
    distance = round(picture.shape[0] * _SHIFT / _SIDE)
    x, y = ((distance, 0), (-distance, 0), (0, distance), (0, -distance))[rng.integers(4)]
    return _transform(picture, np.eye(2), shift=(x, y), smooth=False)


def _rotate(picture: Pixels, rng: np.random.Generator) -> Pixels:
    angle = np.deg2rad(_DEGREES) * (1 if rng.random() < 0.5 else -1)
    sine, cosine = np.sin(angle), np.cos(angle)
    return _transform(picture, np.array([[cosine, -sine], [sine, cosine]]))


def _scale(picture: Pixels, factor: float) -> Pixels:
    return _transform(picture, np.eye(2) / factor)


def _transform(
    picture: Pixels, matrix: npt.NDArray[np.float64], *, shift: tuple[int, int] = (0, 0), smooth: bool = True
) -> Pixels:
    """Move each place of the result to the place of the source that the matrix says, about the middle."""
    side = picture.shape[0]
    margin = side // 2
    around = ((margin, margin), (margin, margin))
    if picture.ndim == 3:
        wide = np.pad(picture, (*around, (0, 0)), mode="symmetric")
    else:
        wide = np.pad(picture, around, constant_values=_page(picture))
    middle = side / 2
    corner = matrix @ (-middle - np.array(shift)) + middle + margin
    row, column = matrix
    data = (row[0], row[1], corner[0], column[0], column[1], corner[1])
    image = Image.fromarray(wide)
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, data, method))


def _page(picture: Pixels) -> int:
    return int(np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])))


def _blur(picture: Pixels, rng: np.random.Generator) -> Pixels:
    sigma = _SIGMA * picture.shape[0] / _SIDE
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def _add_noise(picture: Pixels, rng: np.random.Generator) -> Pixels:
    noise = rng.normal(0, _NOISE, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _lower_contrast(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Bring all levels half-way to the picture's mean, channel by channel."""
    mean = picture.mean(axis=(0, 1), keepdims=True)
    return np.rint(mean + (picture - mean) * _CONTRAST).astype(np.uint8)


def _rub(picture: Pixels, filter_: type[ImageFilter.RankFilter]) -> Pixels:
    """Erode or dilate strokes at a finer resolution, half a pixel of 28 on each side."""
    side = picture.shape[0]
    page = _page(picture)
    image = Image.fromarray(picture)
    light = image if page < 128 else ImageOps.invert(image)
    fine = light.resize((side * _FINER, side * _FINER), Image.Resampling.BICUBIC).filter(filter_(_PEN))
    small = fine.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small if page < 128 else ImageOps.invert(small))
