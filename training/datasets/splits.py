"""Divides examples into training, validation and test splits, all copies of an input in one of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from training.datasets.dataset import Examples, stratified_mask

MIN_EXAMPLES = 6  # different ones of a class; with fewer, a split would be empty
_TEST_SHARE, _VALIDATION_SHARE = 0.15, 0.15


@dataclass(frozen=True, kw_only=True)
class Division:
    """Examples in their splits."""

    train: Examples
    validation: Examples
    test: Examples
    copies: int  # number of inputs that an earlier one equals
    counts: tuple[int, ...]  # number of different inputs of each class


def divide(examples: Examples, contents: Iterable[bytes], *, classes: int) -> Division:
    """Choose 15 % of each class for validation and 15 % for the test, always the same random ones.

    Args:
        examples: Examples of classes.
        contents: The content of each input; inputs of equal content are copies.
        classes: Number of classes.
    """
    first: dict[bytes, int] = {}
    digests = (hashlib.sha256(content).digest() for content in contents)
    originals = np.array(
        [first.setdefault(digest, index) for index, digest in enumerate(digests)], dtype=np.int64
    )
    is_original = originals == np.arange(len(examples))
    y = examples.y[is_original]
    tested = stratified_mask(y, share=_TEST_SHARE)
    validated = np.zeros_like(tested)
    validated[~tested] = stratified_mask(y[~tested], share=_VALIDATION_SHARE / (1 - _TEST_SHARE))
    # A copy is in the split of its original.
    places = np.searchsorted(np.flatnonzero(is_original), originals)
    validation, test = validated[places], tested[places]
    return Division(
        train=examples.take(~validation & ~test),
        validation=examples.take(validation),
        test=examples.take(test),
        copies=int((~is_original).sum()),
        counts=tuple(np.bincount(y, minlength=classes).tolist()),
    )
