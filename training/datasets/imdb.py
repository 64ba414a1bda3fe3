"""Owns the IMDB reviews: reading, splitting, the commonest words."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from service.inference.files import sha256_of
from service.inference.preprocessing import tokenize
from training.datasets.cache import cache_folder
from training.datasets.dataset import Dataset, Examples, stratified
from training.errors import DatasetError

LABELS = ("negative", "positive")
SOURCE = "Large Movie Review Dataset v1 (Maas et al. 2011), https://ai.stanford.edu/~amaas/data/sentiment/"
LICENSE = "free for research with a citation; the reviews belong to their authors"
WORDS = 10_000
_FILES = ("imdb_train.jsonl.gz", "imdb_test.jsonl.gz")
_VALIDATION_SHARE = 0.2
_SPLIT_SEED = 0


def imdb_files() -> tuple[Path, Path]:
    """Return where the training and the test reviews lie in the cache, or will."""
    train, test = (cache_folder() / name for name in _FILES)
    return train, test


def load_imdb() -> Dataset:
    """Read the reviews from the cache, as object arrays of raw strings.

    The validation split is a fixed fifth of each class of the training file, drawn once with seed 0: 5,000.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    train_path, test_path = imdb_files()
    whole, test = _read(train_path), _read(test_path)
    held_out = stratified(whole.y, share=_VALIDATION_SHARE, seed=_SPLIT_SEED)
    checksums = sha256_of(train_path) + sha256_of(test_path)
    return Dataset(
        name="imdb",
        labels=LABELS,
        train=whole.take(~held_out),
        validation=whole.take(held_out),
        test=test,
        sha256=hashlib.sha256(checksums.encode()).hexdigest(),
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


def _read(path: Path) -> Examples:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        texts = np.array([row["text"] for row in rows], dtype=object)
        return Examples(texts, np.array([row["label"] for row in rows], dtype=np.int64))
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete it, and it is fetched again") from error
