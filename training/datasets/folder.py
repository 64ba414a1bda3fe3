"""Loads the user's own images from a folder that has one subfolder for each class."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputError
from service.inference.preprocessing import PICTURE_SUFFIXES, decode_image, picture_preparation
from training.datasets import is_own
from training.datasets.dataset import Dataset, Examples
from training.datasets.splits import MIN_EXAMPLES, divide
from training.errors import DatasetError

_NO_TEXT = ("Cc", "Cs")  # Unicode categories: control characters, and bytes that are no UTF-8


def load_folder(folder: Path, *, preprocessing: str, size: int | None) -> Dataset:
    """Load ``<class>/<file>`` images with the preprocessing of the server.

    15 % of each class are for the test and 15 % for validation, drawn with a fixed seed from the files in
    alphabetical order. All copies of a picture are in one split, and a copy with another label is left out.

    Args:
        folder: Contains at least two subfolders of images; their names are the labels.
        preprocessing: ``digit``, ``garment`` or ``photo``.
        size: Side of ``photo`` images in pixels.

    Returns:
        The data set; ``skipped`` names the files that cannot be read.

    Raises:
        DatasetError: There are fewer than two classes, or too few different images in one.
    """
    labels = _class_folders(folder)
    if len(labels) < 2:
        raise DatasetError(
            f"{folder}: contains {len(labels) or 'no'} folder{'s' * (len(labels) != 1)}; it needs one for "
            "each of two or more classes"
        )
    examples, skipped, checksum = _read(
        folder, labels, preprocessing=preprocessing, size=size, one_label=True
    )
    division = divide(examples, (image.tobytes() for image in examples.x), classes=len(labels))
    for label, count in zip(labels, division.counts, strict=True):
        if count < MIN_EXAMPLES:
            left_out = [text for text in skipped if text.startswith(f"{label}/")]
            example = f" ({len(left_out)} are left out; {left_out[0]})" if left_out else ""
            raise DatasetError(
                f"{folder / label}: contains {count} different readable images, and needs {MIN_EXAMPLES}; "
                f"add some, or remove the folder{example}"
            )
    name = model_name(folder.resolve().name)
    return Dataset(
        name=name if is_own(name) else f"own_{name}",
        labels=labels,
        train=division.train,
        validation=division.validation,
        test=division.test,
        sha256=checksum,
        source=f"the user's own pictures, folder {folder.resolve().name}",
        license="the user's own",
        skipped=skipped,
        copies=division.copies,
    )


def load_extra(
    folder: Path, *, labels: tuple[str, ...], preprocessing: str, size: int | None
) -> tuple[Examples, tuple[str, ...]]:
    """Load further training images of a data set's classes, such as misread drawings.

    Args:
        folder: Contains ``<label>/<file>`` for some of the labels; a slash in a label is an underscore here.
        labels: Labels of the data set, in order.
        preprocessing: ``digit``, ``garment`` or ``photo``.
        size: Side of ``photo`` images in pixels.

    Returns:
        The examples, and the files that cannot be read.

    Raises:
        DatasetError: A subfolder is not named after a label, or no image can be read.
    """
    names = tuple(label.replace("/", "_") for label in labels)
    unknown = [name for name in _class_folders(folder) if name not in names]
    if unknown:
        raise DatasetError(f"{folder / unknown[0]}: is not a label; the labels are {', '.join(names)}")
    examples, skipped, _ = _read(folder, names, preprocessing=preprocessing, size=size, one_label=False)
    if not len(examples):
        raise DatasetError(f"{folder}: contains no readable image in the folders {', '.join(names)}")
    return examples, skipped


def model_name(text: str) -> str:
    """Turn a text into a name that a URL can contain: lower case, with underscores between the words."""
    plain = "".join(filter(str.isascii, unicodedata.normalize("NFKD", text.replace("ß", "ss").lower())))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "own_pictures"


def _class_folders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: is not a folder; name one that has a folder of images for each class")
    names = [path.name for path in _in_order(folder) if path.is_dir() and not path.name.startswith(".")]
    for name in names:
        if any(unicodedata.category(character) in _NO_TEXT for character in name):
            raise DatasetError(f"{folder / ascii(name)}: cannot be a label; rename the folder")
    return tuple(names)


def _in_order(folder: Path) -> list[Path]:
    """Return the content of a folder by name; paths themselves have another order on Windows."""
    return sorted(folder.iterdir(), key=lambda path: path.name)


def _read(
    folder: Path, names: tuple[str, ...], *, preprocessing: str, size: int | None, one_label: bool
) -> tuple[Examples, tuple[str, ...], str]:
    """Return the examples of the existing subfolders, the files left out, and a checksum of all files.

    With ``one_label``, a picture that an earlier file has with another label is left out.
    """
    prepare = picture_preparation(preprocessing, size=size)
    images: list[npt.NDArray[np.uint8]] = []
    classes: list[int] = []
    skipped: list[str] = []
    labelled: dict[bytes, tuple[int, str]] = {}
    checksum = hashlib.sha256()
    for number, name in enumerate(names):
        place = folder / name
        for path in _in_order(place) if place.is_dir() else ():  # glob hides a refused permission
            if path.suffix.lower() not in PICTURE_SUFFIXES:
                continue
            file = f"{name}/{path.name}"
            shown = os.fsencode(file).decode(errors="replace")  # a file name may be invalid Unicode
            if not path.is_file():  # To read a pipe would wait for ever.
                skipped.append(f"{shown}: is no regular file")
                continue
            content = path.read_bytes()
            checksum.update(os.fsencode(file) + f"\0{len(content)}\0".encode() + content)
            try:
                image = prepare(decode_image(content))
            except InputError as error:
                skipped.append(f"{shown}: {error}")
                continue
            other, first = labelled.setdefault(hashlib.sha256(image.tobytes()).digest(), (number, shown))
            if one_label and other != number:
                skipped.append(f"{shown}: is the picture of {first}, which has another label")
                continue
            images.append(image)
            classes.append(number)
    x = np.stack(images) if images else np.zeros((0, 1, 1), dtype=np.uint8)
    return Examples(x, np.array(classes, dtype=np.int64)), tuple(skipped), checksum.hexdigest()
