"""Owns the cats and dogs: reading the archive of JPEG files, and splitting it by their numbers."""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputError
from service.inference.preprocessing import decode_image, prepare_photo
from training.datasets.cache import cache_folder
from training.datasets.conversion import convert_cats
from training.datasets.dataset import Dataset, Examples
from training.datasets.download import Progress, download
from training.errors import DatasetError

LABELS = ("cat", "dog")
SIZE = 180
FIRST = 5000
URL = "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip"
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


def fetch_cats(*, url: str = URL, progress: Progress | None = None) -> tuple[str, ...]:
    """Download the publisher's archive (786 MB) and keep its first pictures in the cache.

    Args:
        url: Of the archive.
        progress: Is told of the bytes that have come.

    Returns:
        Names of the pictures that are damaged and were left out.

    Raises:
        DatasetError: There is no network, or what came is not the archive.
    """
    archive = cache_folder() / "kagglecatsanddogs_5340.zip"
    if not archive.exists():
        download(url, archive, progress=progress)
    skipped = convert_cats(archive, cats_file(), first=FIRST, size=SIZE)
    archive.unlink()
    return skipped


def load_cats(*, size: int = SIZE, progress: Progress | None = None) -> Dataset:
    """Read the pictures from the cache, as a server would read them.

    The splits go by the numbers of the files: 0 to 3499 training, 3500 to 3999 validation, 4000 to 4999 test.

    Args:
        size: Side of the pictures in pixels.
        progress: Is told of the bytes that have come, if the archive has to be fetched first.

    Raises:
        DatasetError: The archive cannot be fetched, or is damaged.
    """
    path = cats_file()
    if not path.exists():
        fetch_cats(progress=progress)
    skipped: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            checksum = hashlib.sha256()
            pictures = list(_read(archive, size=size, skipped=skipped, checksum=checksum))
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete it, and it is fetched again") from error
    splits = {}
    for name, numbers in _SPLITS.items():
        chosen = [picture for picture in pictures if picture.number in numbers]
        if not chosen:
            raise DatasetError(
                f"{path}: has no pictures for the {name} split; delete it, and it is fetched again"
            )
        pixels = np.stack([picture.pixels for picture in chosen])
        splits[name] = Examples(pixels, np.array([picture.label for picture in chosen], dtype=np.int64))
    return Dataset(
        name="cats_vs_dogs",
        labels=LABELS,
        **splits,
        sha256=checksum.hexdigest(),
        source=SOURCE,
        license=LICENSE,
        skipped=tuple(skipped),
    )


def _read(archive: zipfile.ZipFile, *, size: int, skipped: list[str], checksum: Any) -> Iterator[_Picture]:
    present = set(archive.namelist())
    for label, folder in enumerate(_FOLDERS):
        for number in range(FIRST):
            name = f"PetImages/{folder}/{number}.jpg"
            if name not in present:
                continue
            content = archive.read(name)
            checksum.update(f"{name}\0{len(content)}\0".encode() + content)
            try:
                yield _Picture(number, label, prepare_photo(decode_image(content), size=size))
            except InputError:
                skipped.append(name)
