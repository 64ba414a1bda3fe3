"""Loads the cats and dogs from an archive of JPEG files, and splits them by their file numbers."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import InputError
from service.inference.preprocessing import decode_image, prepare_photo
from training.datasets.dataset import (
    DAMAGED,
    Dataset,
    DatasetDeclaration,
    DownloadProgress,
    Examples,
    cache_folder,
)
from training.datasets.download import download
from training.errors import DatasetError

SIZE = 180
_COUNT = 5000  # images of each class
_FOLDERS = ("Cat", "Dog")
_SPLITS = {"train": range(3500), "validation": range(3500, 4000), "test": range(4000, _COUNT)}
_JPEG_QUALITY = 92


def _fetch(declaration: DatasetDeclaration, progress: DownloadProgress | None) -> None:
    """Download the publisher's archive; cache its first images as small squares, without damaged ones."""
    (target,) = declaration.paths
    archive = cache_folder() / "kagglecatsanddogs_5340.zip"
    if not archive.exists():
        download(declaration.url, archive, progress=progress)
    temporary = target.with_name(f".{target.name}")
    try:
        with zipfile.ZipFile(archive) as source, zipfile.ZipFile(temporary, "w") as result:
            for name in _image_names(source):
                try:
                    pixels = prepare_photo(decode_image(source.read(name)), size=SIZE)
                except InputError:
                    continue
                # ZipInfo has a fixed date, so the same images give the same archive.
                with result.open(zipfile.ZipInfo(name), "w") as file:
                    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
            if not result.namelist():
                raise DatasetError(
                    f"{archive}: contains no PetImages/Cat and PetImages/Dog; it is another archive"
                )
        os.replace(temporary, target)
        archive.unlink()
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise DatasetError(
            f"{archive}: is not a complete zip file ({error}); delete it and fetch it again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _load(declaration: DatasetDeclaration, size: int | None) -> Dataset:
    """Read the cached images with the preprocessing of the server, and split them by their numbers."""
    (path,) = declaration.paths
    skipped: list[str] = []
    checksum = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive:
            images = list(_read(archive, size=size or SIZE, skipped=skipped, checksum=checksum))
    except DAMAGED as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete the file to fetch it again") from error
    splits = {}
    for name, numbers in _SPLITS.items():
        chosen = [(pixels, label) for number, label, pixels in images if number in numbers]
        if not chosen:
            raise DatasetError(
                f"{path}: contains no images of the {name} split; delete the file to fetch it again"
            )
        pixels, labels = zip(*chosen, strict=True)
        splits[name] = Examples(np.stack(pixels), np.array(labels, dtype=np.int64))
    return Dataset(
        name=declaration.name,
        labels=declaration.labels,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        sha256=checksum.hexdigest(),
        source=declaration.source,
        license=declaration.license,
        skipped=tuple(skipped),
    )


def _image_names(archive: zipfile.ZipFile) -> Iterator[str]:
    present = set(archive.namelist())
    for folder in _FOLDERS:
        for number in range(_COUNT):
            if (name := f"PetImages/{folder}/{number}.jpg") in present:
                yield name


def _read(
    archive: zipfile.ZipFile, *, size: int, skipped: list[str], checksum: Any
) -> Iterator[tuple[int, int, npt.NDArray[np.uint8]]]:
    """Yield the number, class and pixels of each image that can be read."""
    for name in _image_names(archive):
        content = archive.read(name)
        checksum.update(f"{name}\0{len(content)}\0".encode() + content)
        _, folder, file = name.split("/")
        try:
            pixels = prepare_photo(decode_image(content), size=size)
        except InputError:
            skipped.append(name)
            continue
        yield int(file.removesuffix(".jpg")), _FOLDERS.index(folder), pixels


CATS_VS_DOGS = DatasetDeclaration(
    name="cats_vs_dogs",
    labels=("cat", "dog"),
    file_names=("cats_vs_dogs.zip",),
    splits="7,000 + 1,000 + 2,000, without damaged images",
    source="Dogs vs. Cats (Asirra; Microsoft Research and Kaggle), the first 5,000 pictures of each class, "
    "https://www.microsoft.com/download/details.aspx?id=54765",
    license="Microsoft Research licence, for research",
    fetch=_fetch,
    load=_load,
    url="https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
    "kagglecatsanddogs_5340.zip",
)
