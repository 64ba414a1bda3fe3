"""Chooses the pictures that a detector of pictures without a class is fitted to."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing import decode_image, prepare_photo
from training.augmentation.outlier_exposure import make_noise, make_outliers
from training.augmentation.photo_outliers import make_photo_outliers
from training.datasets.other_pictures import load_other_pictures

Pixels = npt.NDArray[np.uint8]

_SEED = 0
_GARMENTS, _GARMENT_OUTLIERS = 12_000, 4_000
_PHOTOS, _RESENT_PHOTOS, _PHOTO_OUTLIERS = 6_000, 4_000, 3_000
_RESENT_SIDE, _JPEG_QUALITY = (48, 300), (40, 92)  # in pixels; upper limits are exclusive
_FILTERS = (Image.Resampling.LANCZOS, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


@dataclass(frozen=True, kw_only=True)
class DetectorExamples:
    """Pictures to distinguish, as the network takes them, and what the detector may cost and reads."""

    known: Pixels  # of the classes, uint8 (n, height, width) or (n, height, width, 3)
    outliers: Pixels  # of no class
    max_loss: float  # share of validation pictures whose right predictions may become unsure
    norms: bool = False  # whether it reads the norms of the activations beside their means


def garment_examples(train: Pixels, *, count: int = _GARMENT_OUTLIERS) -> DetectorExamples:
    """Choose garments and make synthetic outliers.

    Args:
        train: uint8 (n, side, side), prepared training pictures.
        count: Number of outliers.
    """
    rng = np.random.default_rng(_SEED)
    known = train[rng.permutation(len(train))[:_GARMENTS]]
    outliers = make_outliers(known, count=count * 2 // 3, rng=rng)
    noise = np.stack([make_noise(known.shape[1], rng) for _ in range(count // 3)])
    return DetectorExamples(known=known, outliers=np.concatenate([outliers, noise]), max_loss=0.001)


def photo_examples(train: Pixels, others: Path, *, synthetic: int = _PHOTO_OUTLIERS) -> DetectorExamples:
    """Choose photos, and take outliers from a folder and synthetic ones.

    A part of the photos is resized and compressed, so that such pictures are no outliers.

    Args:
        train: uint8 (n, side, side, 3), prepared training pictures.
        others: Folder of pictures that show none of the classes.
        synthetic: Number of synthetic outliers.

    Raises:
        DatasetError: The folder has too few pictures.
    """
    rng = np.random.default_rng(_SEED)
    size = train.shape[1]
    order = rng.permutation(len(train))
    photos, sent = train[order[:_PHOTOS]], train[order[_PHOTOS : _PHOTOS + _RESENT_PHOTOS]]
    grey = np.rint(photos.mean(axis=-1)).astype(np.uint8)
    drawn = make_outliers(grey, count=synthetic // 3, rng=rng)
    inverted = rng.random(len(drawn)) < 0.5
    drawn[inverted] = 255 - drawn[inverted]
    outliers = (
        load_other_pictures(others, size=size, rng=rng),
        make_photo_outliers(photos, count=synthetic * 2 // 3, rng=rng),
        np.repeat(drawn[..., np.newaxis], 3, axis=-1),
    )
    return DetectorExamples(
        known=np.concatenate([photos, *(_resend(photo, rng)[np.newaxis] for photo in sent)]),
        outliers=np.concatenate(outliers),
        max_loss=0.002,
        norms=True,
    )


def _resend(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo as it is after another size and JPEG compression."""
    side = int(rng.integers(*_RESENT_SIDE))
    enlarged = Image.fromarray(photo).resize((side, side), _FILTERS[int(rng.integers(len(_FILTERS)))])
    buffer = io.BytesIO()
    enlarged.save(buffer, "JPEG", quality=int(rng.integers(*_JPEG_QUALITY)))
    return prepare_photo(decode_image(buffer.getvalue()), size=len(photo))
