"""Owns the IMDB reviews: reading, splitting, the commonest words."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from service.inference.preprocessing import phrases, tokenize
from training.datasets.cache import cache_folder
from training.datasets.conversion import convert_reviews
from training.datasets.dataset import Dataset, Examples, stratified
from training.datasets.download import Progress, download
from training.errors import DatasetError

LABELS = ("negative", "positive")
SOURCE = "Large Movie Review Dataset v1 (Maas et al. 2011), https://ai.stanford.edu/~amaas/data/sentiment/"
URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
LICENSE = "free for research with a citation; the reviews belong to their authors"
WORDS = 10_000
_FILES = ("imdb_train.jsonl.gz", "imdb_test.jsonl.gz")
_VALIDATION_SHARE = 0.2
_SPLIT_SEED = 0


def imdb_files() -> tuple[Path, Path]:
    """Return where the training and the test reviews lie in the cache, or will."""
    train, test = (cache_folder() / name for name in _FILES)
    return train, test


def fetch_imdb(*, url: str = URL, md5: str | None = MD5, progress: Progress | None = None) -> None:
    """Download the publisher's archive (84 MB) and keep its reviews in the cache.

    Args:
        url: Of the archive.
        md5: Its checksum.
        progress: Is told of the bytes that have come.

    Raises:
        DatasetError: There is no network, or what came is not the archive.
    """
    archive = cache_folder() / "aclImdb_v1.tar.gz"
    if not archive.exists():
        download(url, archive, md5=md5, progress=progress)
    train, test = imdb_files()
    convert_reviews(archive, {"train": train, "test": test})
    archive.unlink()


def load_imdb(*, progress: Progress | None = None) -> Dataset:
    """Read the reviews from the cache, as object arrays of raw strings.

    The validation split is a fixed fifth of each class of the training file, drawn once with seed 0: 5,000.

    Args:
        progress: Is told of the bytes that have come, if the archive has to be fetched first.

    Raises:
        DatasetError: The archive cannot be fetched, or a file is damaged.
    """
    train_path, test_path = imdb_files()
    if not (train_path.exists() and test_path.exists()):
        fetch_imdb(progress=progress)
    whole, test = _read(train_path), _read(test_path)
    held_out = stratified(whole.y, share=_VALIDATION_SHARE, seed=_SPLIT_SEED)
    checksum = hashlib.sha256()
    for part in (whole, test):
        for text, label in zip(part.x, part.y, strict=True):
            checksum.update(f"{label}\0{text}\0".encode())
    return Dataset(
        name="imdb",
        labels=LABELS,
        train=whole.take(~held_out),
        validation=whole.take(held_out),
        test=test,
        sha256=checksum.hexdigest(),
        source=SOURCE,
        license=LICENSE,
    )


def commonest_words(texts: Iterable[str], *, limit: int = WORDS) -> list[str]:
    """Return the words that most texts have, commonest first, equals in alphabetical order.

    Args:
        texts: Raw texts; a word counts once for each text it is in.
        limit: How many words.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(tokenize(text)))
    return sorted(counts, key=lambda word: (-counts[word], word))[:limit]


def frequent_phrases(texts: Iterable[str], *, longest: int, texts_at_least: int) -> list[str]:
    """Return the words and phrases that enough texts have, commonest first, equals in alphabetical order.

    Args:
        texts: Raw texts; a phrase counts once for each text it is in.
        longest: Most words in a phrase.
        texts_at_least: In how many texts a phrase has to be.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(phrases(text, longest=longest))
    kept = (phrase for phrase, count in counts.items() if count >= texts_at_least)
    return sorted(kept, key=lambda phrase: (-counts[phrase], phrase))


def _read(path: Path) -> Examples:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        texts = np.array([row["text"] for row in rows], dtype=object)
        return Examples(texts, np.array([row["label"] for row in rows], dtype=np.int64))
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete it, and it is fetched again") from error
