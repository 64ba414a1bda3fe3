"""Owns the cats and dogs: reading the archive of JPEG files, and splitting it by their numbers."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputError
from service.inference.files import sha256_of
from service.inference.preprocessing import decode_image, prepare_photo
from training.datasets.cache import cache_folder
from training.datasets.dataset import Dataset, Examples
from training.errors import DatasetError

LABELS = ("cat", "dog")
SIZE = 180
FIRST = 5000
SOURCE = (
    "Dogs vs. Cats (Asirra; Microsoft Research and Kaggle), the first 5,000 pictures of each class, "
    "https://www.microsoft.com/download/details.aspx?id=54765"
)
LICENSE = "Microsoft Research licence, for research"
_FOLDERS = ("Cat", "Dog")
# Upper ends of the numbers that belong to each split.
_SPLITS = {"train": range(3500), "validation": range(3500, 4000), "test": range(4000, FIRST)}


@dataclass(frozen=True)
class _Picture:
    number: int
    label: int
    pixels: npt.NDArray[np.uint8]


def cats_file() -> Path:
    """Return where the archive lies in the cache, or will."""
    return cache_folder() / "cats_vs_dogs.zip"


def load_cats(*, size: int = SIZE) -> Dataset:
    """Read the pictures from the cache, as a server would read them.

    The splits go by the numbers of the files: 0 to 3499 training, 3500 to 3999 validation, 4000 to 4999 test.

    Args:
        size: Side of the pictures in pixels.

    Raises:
        DatasetError: The archive is missing or damaged.
    """
    path = cats_file()
    skipped: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            pictures = list(_read(archive, size=size, skipped=skipped))
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete it, and it is fetched again") from error
    splits = {}
    for name, numbers in _SPLITS.items():
        chosen = [picture for picture in pictures if picture.number in numbers]
        if not chosen:
            raise DatasetError(f"{path}: has no pictures for the {name} split; delete it, and it is fetched again")
        pixels = np.stack([picture.pixels for picture in chosen])
        splits[name] = Examples(pixels, np.array([picture.label for picture in chosen], dtype=np.int64))
    return Dataset(
        name="cats_vs_dogs",
        labels=LABELS,
        **splits,
        sha256=sha256_of(path),
        source=SOURCE,
        license=LICENSE,
        skipped=tuple(skipped),
    )


def _read(archive: zipfile.ZipFile, *, size: int, skipped: list[str]) -> Iterator[_Picture]:
    present = set(archive.namelist())
    for label, folder in enumerate(_FOLDERS):
        for number in range(FIRST):
            name = f"PetImages/{folder}/{number}.jpg"
            if name not in present:
                continue
            try:
                yield _Picture(number, label, prepare_photo(decode_image(archive.read(name)), size=size))
            except InputError:
                skipped.append(name)
