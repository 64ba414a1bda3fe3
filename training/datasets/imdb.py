"""Loads the IMDB film reviews and chooses the words of a vocabulary."""

import gzip
import hashlib
import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np

from service.inference.files import write_atomically
from service.inference.preprocessing import phrases
from service.inference.preprocessing.text import PHRASE_MARK
from training.datasets.dataset import (
    DAMAGED,
    Dataset,
    DatasetDeclaration,
    DownloadProgress,
    Examples,
    cache_folder,
    stratified_mask,
)
from training.datasets.download import download
from training.errors import DatasetError

VOCABULARY_SIZE = 10_000
_VALIDATION_SHARE = 0.2

_Review: TypeAlias = dict[str, str | int]


def _fetch(declaration: DatasetDeclaration, progress: DownloadProgress | None) -> None:
    """Download the publisher's archive and cache its reviews."""
    archive = cache_folder() / "aclImdb_v1.tar.gz"
    if not archive.exists():
        download(declaration.url, archive, md5=declaration.md5, progress=progress)
    train, test = declaration.paths
    convert_reviews(archive, {"train": train, "test": test})
    archive.unlink()


def convert_reviews(archive: Path, targets: dict[str, Path]) -> None:
    """Store the reviews of aclImdb, which are one file each, as one file of JSON lines for each split.

    Args:
        archive: The publisher's tar.gz file.
        targets: File to create for ``train`` and for ``test``.

    Raises:
        DatasetError: The file is not that archive.
    """
    rows: dict[str, list[_Review]] = {split: [] for split in targets}
    try:
        with tarfile.open(archive, "r:gz") as source:
            for split, row in _reviews(source):
                if split in rows:
                    rows[split].append(row)
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise DatasetError(
            f"{archive}: is not a complete tar.gz file ({error}); delete it and fetch it again"
        ) from error
    for split, target in targets.items():
        if not rows[split]:
            raise DatasetError(f"{archive}: contains no aclImdb/{split}/neg and pos; it is another archive")
        # The order of the unpacked folders: negative reviews first, by file name.
        ordered = sorted(rows[split], key=lambda row: (row["label"], f"{row['id']}_{row['rating']}.txt"))
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ordered)
        write_atomically(target, gzip.compress(lines.encode(), mtime=0))


def _load(declaration: DatasetDeclaration, _size: int | None) -> Dataset:
    """Read the cached reviews as strings; the validation split is a fixed fifth of each training class."""
    train, test = (_read(path) for path in declaration.paths)
    held_out = stratified_mask(train.y, share=_VALIDATION_SHARE)
    checksum = hashlib.sha256()
    for part in (train, test):
        for text, label in zip(part.x, part.y, strict=True):
            checksum.update(f"{label}\0{text}\0".encode())
    return Dataset(
        name=declaration.name,
        labels=declaration.labels,
        train=train.take(~held_out),
        validation=train.take(held_out),
        test=test,
        sha256=checksum.hexdigest(),
        source=declaration.source,
        license=declaration.license,
    )


def most_frequent_words(texts: Iterable[str], *, limit: int = VOCABULARY_SIZE) -> list[str]:
    """Return the words that occur in most texts, most frequent first, ties in alphabetical order.

    Args:
        texts: Raw texts; a word counts once per text.
        limit: Number of words.
    """
    return frequent_phrases(texts, min_texts=(1,))[:limit]


def frequent_phrases(texts: Iterable[str], *, min_texts: Sequence[int], negation: bool = False) -> list[str]:
    """Return the words and phrases that occur in enough texts, in the order of :func:`most_frequent_words`.

    Args:
        texts: Raw texts; a phrase counts once per text.
        min_texts: Lowest number of texts that contain a word, a pair, and so on to the longest phrases.
        negation: Whether negated words are words of their own.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(phrases(text, longest=len(min_texts), negation=negation))
    frequent = (phrase for phrase, count in counts.items() if count >= min_texts[phrase.count(PHRASE_MARK)])
    return sorted(frequent, key=lambda phrase: (-counts[phrase], phrase))


def _reviews(source: tarfile.TarFile) -> Iterator[tuple[str, _Review]]:
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


def _read(path: Path) -> Examples:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        if not rows:
            raise ValueError("it is empty")
        texts = np.array([row["text"] for row in rows], dtype=object)
        return Examples(texts, np.array([row["label"] for row in rows], dtype=np.int64))
    except DAMAGED as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete the file to fetch it again") from error


IMDB = DatasetDeclaration(
    name="imdb",
    labels=("negative", "positive"),
    file_names=("imdb_train.jsonl.gz", "imdb_test.jsonl.gz"),
    splits="20,000 + 5,000 + 25,000",
    source="Large Movie Review Dataset v1 (Maas et al. 2011), https://ai.stanford.edu/~amaas/data/sentiment/",
    license="free for research with a citation; the reviews belong to their authors",
    fetch=_fetch,
    load=_load,
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    md5="7c2ac02c03563afcf9b574c7e56c153a",
)
