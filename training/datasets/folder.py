"""Owns data sets of one's own: a folder with one folder of pictures for each class."""

import hashlib
import re
from pathlib import Path

import numpy as np

from service.inference.errors import InputError
from service.inference.preprocessing import decode_image, picture_preparation
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
    labels = _class_folders(folder)
    if len(labels) < 2:
        raise DatasetError(
            f"{folder}: holds {len(labels)} folders; there must be one for each of two or more classes"
        )
    whole, skipped, checksum = _read(folder, labels, preprocessing=preprocessing, size=size)
    y = whole.y
    _check_counts(folder, labels, y)
    test = stratified(y, share=_TEST_SHARE, seed=_SPLIT_SEED)
    validation = np.zeros_like(test)
    validation[~test] = stratified(y[~test], share=_VALIDATION_SHARE / (1 - _TEST_SHARE), seed=_SPLIT_SEED)
    return Dataset(
        name=model_name(folder.resolve().name),
        labels=labels,
        train=whole.take(~test & ~validation),
        validation=whole.take(validation),
        test=whole.take(test),
        sha256=checksum,
        source=f"the user's own pictures, folder {folder.resolve().name}",
        license="the user's own",
        skipped=skipped,
    )


def load_extra(
    folder: Path, *, labels: tuple[str, ...], preprocessing: str, size: int | None
) -> tuple[Examples, tuple[str, ...]]:
    """Read further training pictures of a data set's own classes, such as drawings that were misread.

    Args:
        folder: Holds ``<label>/<file>``, for some of the labels; a slash in a label is an underscore here.
        labels: Of the data set, in order.
        preprocessing: ``digit``, ``garment`` or ``photo``.
        size: Side of ``photo`` pictures in pixels.

    Returns:
        The pictures with their classes, and what could not be read.

    Raises:
        DatasetError: A folder is named like none of the labels, or no picture can be read.
    """
    names = tuple(label.replace("/", "_") for label in labels)
    strange = [name for name in _class_folders(folder) if name not in names]
    if strange:
        raise DatasetError(f"{folder / strange[0]}: is named like no label; there are {', '.join(names)}")
    examples, skipped, _ = _read(folder, names, preprocessing=preprocessing, size=size)
    if not len(examples):
        raise DatasetError(f"{folder}: holds no picture that can be read, in folders {', '.join(names)}")
    return examples, skipped


def model_name(text: str) -> str:
    """Make a name that can stand in an address: lower case, with underscores between the words."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "own_pictures"


def _class_folders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: no such folder; give one that holds a folder of pictures for each class"
        )
    return tuple(
        path.name for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")
    )


def _read(
    folder: Path, names: tuple[str, ...], *, preprocessing: str, size: int | None
) -> tuple[Examples, tuple[str, ...], str]:
    """Return the pictures of the folders that are there, what could not be read, and a checksum of all."""
    prepare = picture_preparation(preprocessing, size=size or 28)
    pictures, classes, skipped = [], [], []
    checksum = hashlib.sha256()
    for number, name in enumerate(names):
        for path in sorted((folder / name).glob("*")):
            if path.suffix.lower() not in _ENDINGS:
                continue
            content = path.read_bytes()
            checksum.update(f"{name}/{path.name}\0{len(content)}\0".encode() + content)
            try:
                image = decode_image(content)
                pictures.append(prepare(image))
                classes.append(number)
            except InputError as error:
                skipped.append(f"{name}/{path.name}: {error}")
    x = np.stack(pictures) if pictures else np.zeros((0, 1, 1), dtype=np.uint8)
    return Examples(x, np.array(classes, dtype=np.int64)), tuple(skipped), checksum.hexdigest()


def _check_counts(folder: Path, labels: tuple[str, ...], y: np.ndarray) -> None:
    for number, label in enumerate(labels):
        count = int((y == number).sum())
        if count < _FEWEST:
            raise DatasetError(
                f"{folder / label}: has {count} readable pictures, {_FEWEST} are the least for training, "
                "validation and test; add some, or remove the folder"
            )
