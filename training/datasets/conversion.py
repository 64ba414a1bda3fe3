"""Owns turning the publishers' archives into the form that data sets are kept in."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from PIL import Image

from service.inference.errors import InputError
from service.inference.files import write_atomically
from service.inference.preprocessing import decode_image, prepare_photo
from training.errors import DatasetError

_QUALITY = 92


def convert_cats(archive: Path, target: Path, *, first: int, size: int) -> tuple[str, ...]:
    """Keep the first pictures of each class of the Microsoft archive, made square and small.

    Args:
        archive: The publisher's zip: ``PetImages/Cat/N.jpg`` and ``PetImages/Dog/N.jpg``, any size.
        target: The zip to make, with the same names.
        first: Numbers from 0 to this, itself left out, are kept.
        size: Side of the kept pictures in pixels.

    Returns:
        Names of the pictures that are damaged and were left out.

    Raises:
        DatasetError: It is not that archive.
    """
    skipped = []
    temporary = target.with_name(f".{target.name}")
    try:
        with zipfile.ZipFile(archive) as source, zipfile.ZipFile(temporary, "w") as result:
            present = set(source.namelist())
            names = [f"PetImages/{kind}/{number}.jpg" for kind in ("Cat", "Dog") for number in range(first)]
            for name in (name for name in names if name in present):
                try:
                    pixels = prepare_photo(decode_image(source.read(name)), size=size)
                except InputError:
                    skipped.append(name)
                    continue
                # A fixed date: the same pictures give the same archive.
                result.writestr(zipfile.ZipInfo(name), _jpeg(Image.fromarray(pixels)))
            if not result.namelist():
                raise DatasetError(
                    f"{archive}: holds no PetImages/Cat or PetImages/Dog; it is another archive"
                )
        os.replace(temporary, target)
    except zipfile.BadZipFile as error:
        raise DatasetError(
            f"{archive}: is not a whole zip archive ({error}); delete it and fetch again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return tuple(skipped)


def convert_reviews(archive: Path, targets: dict[str, Path]) -> None:
    """Put the reviews of aclImdb, which are one file each, into one file of JSON lines for each split.

    Args:
        archive: The publisher's tar.gz.
        targets: File to make for ``train`` and for ``test``.

    Raises:
        DatasetError: It is not that archive.
    """
    rows: dict[str, list[dict[str, object]]] = {split: [] for split in targets}
    try:
        with tarfile.open(archive, "r:gz") as source:
            for split, row in _reviews(source):
                if split in rows:
                    rows[split].append(row)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(
            f"{archive}: is not a whole tar.gz archive ({error}); delete it and fetch again"
        ) from error
    for split, target in targets.items():
        if not rows[split]:
            raise DatasetError(f"{archive}: holds no aclImdb/{split}/neg and pos; it is another archive")
        # The order of a listing of the unpacked folders: negative first, by file name.
        ordered = sorted(rows[split], key=lambda row: (row["label"], f"{row['id']}_{row['rating']}.txt"))
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ordered)
        write_atomically(target, gzip.compress(lines.encode(), mtime=0))


def _reviews(source: tarfile.TarFile) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield split and review for each ``aclImdb/<split>/<neg or pos>/<id>_<rating>.txt``."""
    for member in source:
        parts = PurePosixPath(member.name).parts
        if len(parts) != 4 or parts[2] not in ("neg", "pos") or not parts[3].endswith(".txt"):
            continue
        stream = source.extractfile(member)
        if stream is None:
            continue
        number, rating = parts[3].removesuffix(".txt").split("_")
        text = stream.read().decode("utf-8")
        yield (
            parts[1],
            {"id": int(number), "rating": int(rating), "label": int(parts[2] == "pos"), "text": text},
        )


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
