"""Divides examples into training, validation and test splits, all copies of an input in one of them."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.dataset import stratified_mask

_TEST_SHARE, _VALIDATION_SHARE = 0.15, 0.15


def first_copies(inputs: Iterable[bytes]) -> npt.NDArray[np.int64]:
    """Return the index of the first input that equals it, for each input."""
    first: dict[bytes, int] = {}
    digests = (hashlib.sha256(content).digest() for content in inputs)
    return np.array([first.setdefault(digest, index) for index, digest in enumerate(digests)], dtype=np.int64)


def split_masks(
    y: npt.NDArray[Any], first: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Choose 15 % of each class for validation and 15 % for the test at random, always the same.

    Args:
        y: (n,) class indices.
        first: (n,) what :func:`first_copies` returned; a copy goes where its original goes.

    Returns:
        Two bool arrays (n,), true where an example is in the validation or in the test split.
    """
    originals = first == np.arange(len(y))
    classes = y[originals]
    tested = stratified_mask(classes, share=_TEST_SHARE)
    validated = np.zeros_like(tested)
    validated[~tested] = stratified_mask(classes[~tested], share=_VALIDATION_SHARE / (1 - _TEST_SHARE))
    places = np.searchsorted(np.flatnonzero(originals), first)
    return validated[places], tested[places]
