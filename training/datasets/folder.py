"""Owns data sets of one's own: a folder with one folder of pictures for each class."""

import hashlib
import re
from pathlib import Path

import numpy as np

from service.inference.errors import InputError
from service.inference.preprocessing import decode_image, prepare_digit, prepare_garment, prepare_photo
from training.datasets.dataset import Dataset, Examples, stratified
from training.errors import DatasetError

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_TEST_SHARE, _VALIDATION_SHARE = 0.15, 0.15
_SPLIT_SEED = 0
# Fewer than this leave one of a class's three splits empty.
_FEWEST = 6


def load_folder(folder: Path, *, preprocessing: str, size: int | None) -> Dataset:
    """Read ``<class>/<file>`` pictures as a server would read them.

    15 % of each class are for testing, 15 % for validation, drawn with seed 0 from the files in the order of
    their names; the classes are in the order of theirs.

    Args:
        folder: Holds two or more folders of pictures; their names are the labels.
        preprocessing: ``digit``, ``garment`` or ``photo``.
        size: Side of ``photo`` pictures in pixels.

    Returns:
        The data set; files that cannot be read are named in ``skipped``.

    Raises:
        DatasetError: There are no two classes, or too few pictures in one.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: no such folder; give one that holds a folder of pictures for each class"
        )
    labels = tuple(
        path.name for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")
    )
    if len(labels) < 2:
        raise DatasetError(
            f"{folder}: holds {len(labels)} folders; there must be one for each of two or more classes"
        )
    pictures, classes, skipped = [], [], []
    checksum = hashlib.sha256()
    for number, label in enumerate(labels):
        for path in sorted((folder / label).iterdir()):
            if path.suffix.lower() not in _ENDINGS:
                continue
            content = path.read_bytes()
            checksum.update(f"{label}/{path.name}\0{len(content)}\0".encode() + content)
            try:
                image = decode_image(content)
                pictures.append(_PREPARATIONS[preprocessing](image, size))
                classes.append(number)
            except InputError as error:
                skipped.append(f"{label}/{path.name}: {error}")
    y = np.array(classes, dtype=np.int64)
    _check_counts(folder, labels, y)
    test = stratified(y, share=_TEST_SHARE, seed=_SPLIT_SEED)
    validation = np.zeros_like(test)
    validation[~test] = stratified(y[~test], share=_VALIDATION_SHARE / (1 - _TEST_SHARE), seed=_SPLIT_SEED)
    whole = Examples(np.stack(pictures), y)
    return Dataset(
        name=model_name(folder.resolve().name),
        labels=labels,
        train=whole.take(~test & ~validation),
        validation=whole.take(validation),
        test=whole.take(test),
        sha256=checksum.hexdigest(),
        source=f"the user's own pictures, folder {folder.resolve().name}",
        license="the user's own",
        skipped=tuple(skipped),
    )


def model_name(text: str) -> str:
    """Make a name that can stand in an address: lower case, with underscores between the words."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "own_pictures"


_PREPARATIONS = {
    "digit": lambda image, size: prepare_digit(image),
    "garment": lambda image, size: prepare_garment(image),
    "photo": lambda image, size: prepare_photo(image, size=size),
}


def _check_counts(folder: Path, labels: tuple[str, ...], y: np.ndarray) -> None:
    for number, label in enumerate(labels):
        count = int((y == number).sum())
        if count < _FEWEST:
            raise DatasetError(
                f"{folder / label}: has {count} readable pictures, {_FEWEST} are the least for training, "
                "validation and test; add some, or remove the folder"
            )
