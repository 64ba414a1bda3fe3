"""Evaluates a model of pictures on pictures of other things, and on photos from another data set.

No network trains on them; the pictures of ``training.augmentation.outlier_exposure`` are different ones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Predictor
from service.inference.card import Coverage, OutOfDistribution
from training.augmentation.rasterizer import Points, draw_strokes
from training.datasets import Examples, load_dataset
from training.datasets.other_pictures import is_picture
from training.errors import DatasetError
from training.evaluation.batch_prediction import encode_png, predict_files
from training.evaluation.pictures.letters import draw_test_letters
from training.export.confidence import measure_coverage

Pixels = npt.NDArray[np.uint8]

_SEED = 0
# Names of the kinds that the card has fields for.
_OWN_KINDS = frozenset(OutOfDistribution.__struct_fields__) - {"folders", "counts", "elsewhere"}
_SCRIBBLES = 10_000
_MOST_FOR_PHOTOS = 1_000  # pictures of a kind for models of photos, which are slower
_SIDE, _SUPERSAMPLING = 140, 2
_CORNERS = (8, 40)  # points of a scribble; the upper limit is exclusive
_PEN_WIDTH = (0.02, 0.08)  # share of the pad's side


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Pictures of one kind; each call of ``files`` makes the same ones."""

    count: int
    files: Callable[[], Iterable[bytes]]


def evaluate_out_of_distribution(predictor: Predictor, *, pictures: Path | None = None) -> OutOfDistribution:
    """Measure how many pictures of other things a model marks as unsure, or rejects.

    Args:
        predictor: Predictor of a model of digits, garments, small photos, or cats and dogs.
        pictures: Has a subfolder of picture files for each further kind; None keeps the card's figures.

    Raises:
        DatasetError: A data set cannot be loaded, or the folder has no pictures in subfolders.
    """
    card = predictor.card
    is_photo = card.input.preprocessing == "photo"
    kinds = _kinds_for_photos(card.labels) if is_photo else _kinds_for_drawings(card.input.preprocessing)
    folders = {} if pictures is None else read_folders(pictures)

    def unsure_share(kind: Kind) -> float:
        (probabilities,) = predict_files([predictor], kind.files())
        return float((probabilities.max(axis=1) < card.unsure_below).mean())

    earlier = card.out_of_distribution
    counts = {name: kind.count for name, kind in {**kinds, **folders}.items()}
    shares = {name: unsure_share(kind) for name, kind in folders.items()}
    if pictures is None and earlier is not None:
        shares = dict(earlier.folders)
        counts |= {name: earlier.counts[name] for name in shares}
    own: dict[str, Any] = {name: unsure_share(kind) for name, kind in kinds.items()}
    return OutOfDistribution(
        **own,
        folders=shares,
        counts=counts,
        elsewhere=_measure_elsewhere(predictor) if is_photo else None,
    )


def _kinds_for_drawings(preprocessing: str) -> Mapping[str, Kind]:
    name, dataset = ("garments", "fashion_mnist") if preprocessing == "digit" else ("digits", "mnist")
    return {
        name: _test_set(dataset),
        "photos": _test_set("cifar10"),
        "scribbles": _scribbles(_SCRIBBLES),
    }


def _kinds_for_photos(labels: tuple[str, ...]) -> Mapping[str, Kind]:
    """Return the kinds for a model of photos; CIFAR-10 is one of them if it has other classes as well."""
    kinds = {
        "digits": _test_set("mnist", _MOST_FOR_PHOTOS),
        "garments": _test_set("fashion_mnist", _MOST_FOR_PHOTOS),
    }
    photos = load_dataset("cifar10")
    known = np.isin(photos.labels, labels)
    if not known.all():
        kinds["photos"] = _from_arrays(photos.test.x[~known[photos.test.y]][:_MOST_FOR_PHOTOS])
    kinds["scribbles"] = _scribbles(_MOST_FOR_PHOTOS)
    kinds["letters"] = Kind(
        count=_MOST_FOR_PHOTOS, files=lambda: map(encode_png, draw_test_letters(_MOST_FOR_PHOTOS))
    )
    return kinds


def _measure_elsewhere(predictor: Predictor) -> Coverage:
    """Measure a model of photos on those photos of the other data set that show one of its classes."""
    card = predictor.card
    labels = card.labels
    other = load_dataset("cifar10" if card.training.dataset == "cats_vs_dogs" else "cats_vs_dogs")
    places = np.array([labels.index(label) if label in labels else -1 for label in other.labels])
    y = places[other.test.y]
    shown = Examples(other.test.x[y >= 0], y[y >= 0])
    (probabilities,) = predict_files([predictor], _encoded(shown.x))
    return measure_coverage(probabilities, shown.y, threshold=card.unsure_below)


def _test_set(name: str, most: int | None = None) -> Kind:
    return _from_arrays(load_dataset(name).test.x[:most])


def _from_arrays(pictures: Pixels) -> Kind:
    return Kind(count=len(pictures), files=lambda: _encoded(pictures))


def _encoded(pictures: Pixels) -> Iterator[bytes]:
    return (encode_png(Image.fromarray(picture)) for picture in pictures)


def _scribbles(count: int) -> Kind:
    def files() -> Iterator[bytes]:
        rng = np.random.default_rng(_SEED)
        return (encode_png(_scribble(rng)) for _ in range(count))

    return Kind(count=count, files=files)


def read_folders(folder: Path) -> dict[str, Kind]:
    """Return the pictures in the subfolders of a folder, by the name of the subfolder.

    Raises:
        DatasetError: There are none, or a subfolder has the name of another kind of the card.
    """
    kinds = {}
    for subfolder in sorted(path for path in folder.iterdir() if path.is_dir()):
        paths = sorted(filter(is_picture, subfolder.iterdir()))
        if paths and subfolder.name in _OWN_KINDS:
            raise DatasetError(f"{subfolder}: the card has a kind of this name already; rename the folder")
        if paths:
            kinds[subfolder.name] = _from_paths(paths)
    if not kinds:
        raise DatasetError(f"{folder}: has no subfolder with pictures; it needs one for each kind of picture")
    return kinds


def _from_paths(paths: Sequence[Path]) -> Kind:
    return Kind(count=len(paths), files=lambda: (path.read_bytes() for path in paths))


def _scribble(rng: np.random.Generator) -> Image.Image:
    """Draw a smooth line through random points, dark on a light page."""
    side = _SIDE * _SUPERSAMPLING
    corners = rng.uniform(0.1, 0.9, (int(rng.integers(*_CORNERS)), 2)) * side
    width = rng.uniform(*_PEN_WIDTH) * side
    page = Image.new("L", (side, side), 255)
    draw_strokes(page, [_round_corners(corners)], width=width, ink=0)
    return page.reduce(_SUPERSAMPLING)


def _round_corners(points: Points) -> Points:
    """Round a line off by cutting its corners three times (Chaikin 1974)."""
    for _ in range(3):
        start, end = points[:-1], points[1:]
        cut = np.stack([0.75 * start + 0.25 * end, 0.25 * start + 0.75 * end], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points
