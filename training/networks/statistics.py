"""Measures the statistics of a training split that a network needs before it is built."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.errors import DatasetError

PATCH = 3  # side of the patches whose covariance is measured, in pixels
SMALLEST_DEVIATION = 1e-3
_COVARIANCE_IMAGES = 1_000
_IMAGES_AT_A_TIME = 100  # whose levels are counted
_PATCH_VALUES = 30_000_000  # of the images whose patches are in memory at a time


@dataclass(frozen=True, kw_only=True)
class DataStatistics:
    """Statistics of a training split."""

    classes: int  # number of classes, or of the values of a regression
    mean: tuple[float, ...] = (127.5,)  # of each channel, in grey levels 0 to 255
    deviation: tuple[float, ...] = (127.5,)  # of each channel, in grey levels
    # Second moments of the standardised values of a 3 x 3 patch, in the order row, column, channel.
    covariance: tuple[tuple[float, ...], ...] = ()
    log_count_ratios: tuple[float, ...] = ()  # naive Bayes, of each word, for texts of two classes
    sentence_weights: tuple[float, ...] = ()  # of each word, if the network is fitted to sentences
    sentence_bias: float = 0.0
    columns: "ColumnStatistics | None" = None  # of tables
    target_mean: tuple[float, ...] = (0.0,)  # of each value of a regression
    target_deviation: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, kw_only=True)
class ColumnStatistics:
    """Statistics of the columns of a table; missing values do not count."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    has_missing: tuple[bool, ...]  # whether some values are missing


def measure_images(images: npt.NDArray[np.uint8], *, classes: int) -> DataStatistics:
    """Measure a split of images.

    Args:
        images: uint8 (n, height, width) or (n, height, width, 3).
        classes: Number of classes.
    """
    counts = _histograms(images)
    levels = np.arange(256, dtype=np.float64)
    means = [float(count @ levels / count.sum()) for count in counts]
    deviations = [
        float(np.sqrt(float(count @ (levels - mean) ** 2 / count.sum())))
        for count, mean in zip(counts, means, strict=True)
    ]
    return DataStatistics(
        classes=classes,
        mean=tuple(means),
        deviation=tuple(deviations),
        covariance=_patch_covariance(images[:_COVARIANCE_IMAGES], means=means, deviations=deviations),
    )


def measure_table(rows: npt.NDArray[np.float32], *, classes: int) -> DataStatistics:
    """Measure a table.

    Args:
        rows: float32 (n, columns), with NaN for missing values.
        classes: Number of classes or values.

    Raises:
        DatasetError: A column has no value.
    """
    empty = np.flatnonzero(np.isnan(rows).all(axis=0))
    if empty.size:
        raise DatasetError(
            f"column {empty[0] + 1} of the table has no value in the training split; leave it out"
        )
    wide = rows.astype(np.float64)
    mean, deviation, minimum, maximum = (
        tuple(figure(wide, axis=0).tolist()) for figure in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)
    )
    return DataStatistics(
        classes=classes,
        columns=ColumnStatistics(
            mean=mean,
            deviation=deviation,
            minimum=minimum,
            maximum=maximum,
            has_missing=tuple(count > 0 for count in np.isnan(rows).sum(axis=0).tolist()),
        ),
    )


def with_targets(statistics: DataStatistics, y: npt.NDArray[np.float32]) -> DataStatistics:
    """Add the statistics of the values of a regression, float32 (n, values)."""
    wide = y.astype(np.float64)
    return replace(
        statistics,
        target_mean=tuple(wide.mean(axis=0).tolist()),
        target_deviation=tuple(wide.std(axis=0).tolist()),
    )


def measure_texts(ids: npt.NDArray[np.int32], y: npt.NDArray[np.int64], *, words: int) -> DataStatistics:
    """Measure the naive Bayes log-count ratio of each word (Wang and Manning 2012).

    It is the natural logarithm of the word's share in class 1 over its share in class 0, with add-one
    smoothing.

    Args:
        ids: int32 (n, length), distinct token ids from 1, padded with 0.
        y: int64 (n,), class 0 or 1.
        words: Size of the vocabulary; a word need not occur in these texts.
    """
    counts = [np.bincount(ids[y == label].ravel(), minlength=words + 1)[1:] + 1.0 for label in (0, 1)]
    negative, positive = (count / count.sum() for count in counts)
    ratios = np.log(positive / negative).astype(np.float32)
    return DataStatistics(classes=2, log_count_ratios=tuple(ratios.tolist()))


def _histograms(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Count the grey levels of each channel: (channels, 256).

    Sums over a histogram are exact. NumPy counts 64-bit copies of the levels, so images are taken in parts.
    """
    channels = images.shape[3] if images.ndim == 4 else 1
    counts = np.zeros((channels, 256), dtype=np.int64)
    for start in range(0, len(images), _IMAGES_AT_A_TIME):
        levels = images[start : start + _IMAGES_AT_A_TIME].reshape(-1, channels)
        for channel in range(channels):
            counts[channel] += np.bincount(levels[:, channel], minlength=256)
    return counts


def _patch_covariance(
    images: npt.NDArray[np.uint8], *, means: Sequence[float], deviations: Sequence[float]
) -> tuple[tuple[float, ...], ...]:
    """Return the second moments of 3 x 3 patches: 9 * channels rows and columns."""
    at_a_time = max(1, _PATCH_VALUES // (math.prod(images.shape[1:]) * PATCH**2))
    starts = range(0, len(images), at_a_time)
    products = np.sum(
        [_patch_product(images[start : start + at_a_time], means, deviations) for start in starts], axis=0
    )
    patches = len(images) * math.prod(size - PATCH + 1 for size in images.shape[1:3])
    return tuple(tuple(row) for row in (products / patches).tolist())


def _patch_product(
    images: npt.NDArray[np.uint8], means: Sequence[float], deviations: Sequence[float]
) -> npt.NDArray[np.float32]:
    """Return the sum of the products of all pairs of values in a patch, over the patches of images."""
    scores = (images.reshape(*images.shape[:3], -1) - np.array(means)) / np.maximum(
        deviations, SMALLEST_DEVIATION
    )
    windows = np.lib.stride_tricks.sliding_window_view(scores.astype(np.float32), (PATCH, PATCH), (1, 2))
    patches = np.moveaxis(windows, 3, -1).reshape(-1, PATCH * PATCH * scores.shape[3])
    product: npt.NDArray[np.float32] = patches.T @ patches
    return product
