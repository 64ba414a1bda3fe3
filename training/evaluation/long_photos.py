"""Evaluates a model of photos on panoramas and tall photos, whose subject can be in any place.

A test picture is pasted into a generated photo of a landscape or of flowers, with a soft seam. The two photos
that this needs come with scikit-learn.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_sample_images

from service.inference import Predictor
from service.inference.preprocessing import prepare_photo
from training.datasets import Examples
from training.metrics import selective_accuracy

Pixels = npt.NDArray[np.uint8]

PHOTOS_PER_SHAPE = 300
_SEED = 2026
# Width and height, as multiples of the test picture's side.
SHAPES = {
    "4:1, at an end": (4.0, 1.0),
    "4:1, anywhere": (4.0, 1.0),
    "9:16": (1.0, 16 / 9),
    "1:2.2": (1.0, 2.2),
}
_SEAM = 0.06  # width of the seam as a share of the picture's side
_LARGEST_ENLARGEMENT = 2.0  # of the background photos


@dataclass(frozen=True, kw_only=True)
class LongPhotoRow:
    """Figures for one shape of photo, 0 to 1."""

    name: str
    accuracy: float
    middle_accuracy: float  # if only the centred square is predicted
    unsure: float
    selective_accuracy: float  # of the predictions that are not unsure
    unsure_without_subject: float  # of predictions for the same backgrounds without the pasted picture


def evaluate_long_photos(
    predictor: Predictor, test: Examples, *, count: int = PHOTOS_PER_SHAPE
) -> tuple[LongPhotoRow, ...]:
    """Measure a model on long photos that show a test picture and a background.

    Args:
        predictor: Predictor of a model of photos.
        test: uint8 (n, side, side, 3).
        count: Number of photos of each shape.
    """
    return tuple(_measure(predictor, test, name, count) for name in SHAPES)


def paste_into_background(
    picture: Pixels, shape: tuple[float, float], place: float, rng: np.random.Generator
) -> tuple[Image.Image, Image.Image]:
    """Paste a picture into a long photo.

    Args:
        picture: uint8 (side, side, 3).
        shape: Width and height of the photo, as multiples of the side; one of them is 1.
        place: Where the picture is along the photo, 0 to 1.
        rng: Chooses the background.

    Returns:
        The photo, and its background without the picture.
    """
    side = len(picture)
    width, height = (round(side * factor) for factor in shape)
    background = _background(width, height, rng)
    left, top = round((width - side) * place), round((height - side) * place)
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    ramp = np.minimum(1.0, distance / max(1.0, _SEAM * side))
    # The seam is only where the picture ends within the photo.
    alpha = ramp[np.newaxis, :] if width > height else ramp[:, np.newaxis]
    mask = Image.fromarray(np.broadcast_to(np.rint(255 * alpha), (side, side)).astype(np.uint8))
    photo = background.copy()
    photo.paste(Image.fromarray(picture), (left, top), mask)
    return photo, background


def _measure(predictor: Predictor, test: Examples, name: str, count: int) -> LongPhotoRow:
    size, threshold = predictor.card.input.shape[1], predictor.card.unsure_below
    rng = np.random.default_rng(_SEED)
    chosen = rng.choice(len(test), min(count, len(test)), replace=False)
    found, middle, without = [], [], []
    for number, index in enumerate(chosen):
        place = float(number % 2) if name.endswith("end") else float(rng.random())
        photo, background = paste_into_background(test.x[index], SHAPES[name], place, rng)
        found.append(predictor.probabilities(predictor.prepare_image(photo)[np.newaxis])[0])
        middle.append(predictor.probabilities(prepare_photo(photo, size=size)[np.newaxis])[0])
        without.append(predictor.probabilities(predictor.prepare_image(background)[np.newaxis])[0].max())
    probabilities, y = np.stack(found), test.y[chosen]
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    return LongPhotoRow(
        name=name,
        accuracy=float(correct.mean()),
        middle_accuracy=float((np.stack(middle).argmax(axis=1) == y).mean()),
        unsure=float((confidence < threshold).mean()),
        selective_accuracy=selective_accuracy(confidence, correct, threshold=threshold),
        unsure_without_subject=float((np.array(without) < threshold).mean()),
    )


@functools.cache
def _background_photos() -> list[Pixels]:
    """Return the two photos, uint8 (height, width, 3)."""
    photos: list[Pixels] = load_sample_images().images
    return photos


def _background(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Return a random part of a photo, mirrored where the photo ends."""
    photos = _background_photos()
    photo = Image.fromarray(photos[int(rng.integers(len(photos)))])
    scale = rng.uniform(1, _LARGEST_ENLARGEMENT) * min(width, height) / min(photo.size)
    photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.BICUBIC)
    pixels = np.asarray(photo)
    wanted = (height, width)
    padding = [(0, max(0, size - length)) for size, length in zip(wanted, pixels.shape[:2], strict=True)]
    pixels = np.pad(pixels, [*padding, (0, 0)], mode="symmetric")
    top, left = (
        int(rng.integers(0, length - size + 1)) for size, length in zip(wanted, pixels.shape[:2], strict=True)
    )
    part = pixels[top : top + height, left : left + width]
    return Image.fromarray(part[:, :: int(rng.choice([-1, 1]))])
