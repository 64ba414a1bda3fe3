"""Loads tables that scikit-learn ships: one for regression, and one with classes and missing values."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from service.inference.preprocessing.table import Column
from training.datasets.dataset import (
    Dataset,
    DatasetDeclaration,
    DownloadProgress,
    Examples,
    random_mask,
    stratified_mask,
)

_TEST_SHARE = 0.2
_VALIDATION_SHARE = 0.25  # of the examples that are not in the test split
_MISSING_SHARE = 0.1
_SEED = 0

_DIABETES = {
    "age": "years",
    "sex": "1 or 2, not stated which is which",
    "bmi": "body mass index in kg/m²",
    "bp": "mean blood pressure in mmHg",
    "s1": "total cholesterol in mg/dl",
    "s2": "low-density lipoproteins in mg/dl",
    "s3": "high-density lipoproteins in mg/dl",
    "s4": "total cholesterol divided by s3",
    "s5": "logarithm of the triglycerides in mg/dl, as it seems",
    "s6": "blood sugar in mg/dl",
}
_WINE = {
    "alcohol": "% by volume",
    "malic_acid": "g/l",
    "ash": "g/l",
    "alcalinity_of_ash": "meq/l",
    "magnesium": "mg/l",
    "total_phenols": "g/l",
    "flavanoids": "g/l",
    "nonflavanoid_phenols": "g/l",
    "proanthocyanins": "g/l",
    "color_intensity": "absorbance",
    "hue": "",
    "od280/od315_of_diluted_wines": "ratio of absorbances",
    "proline": "mg/l",
}


def _fetch(declaration: DatasetDeclaration, _progress: DownloadProgress | None) -> None:
    """Do nothing: scikit-learn has the data."""


def _load_diabetes(declaration: DatasetDeclaration, _size: int | None) -> Dataset:
    from sklearn.datasets import load_diabetes  # slow to import, and this module also describes the data

    x, y = load_diabetes(return_X_y=True, scaled=False)
    examples = Examples(x.astype(np.float32), y.astype(np.float32)[:, None])
    test = random_mask(len(y), share=_TEST_SHARE)
    return _divide(declaration, examples, test, descriptions=_DIABETES, unit="points")


def _load_percentiles(declaration: DatasetDeclaration, size: int | None) -> Dataset:
    """Replace each progression by the share of the training patients whose progression is lower."""
    dataset = _load_diabetes(declaration, size)
    ordered = np.sort(dataset.train.y[:, 0])

    def ranked(split: Examples) -> Examples:
        # The middle of the first and the last place that equal values could have.
        places = [np.searchsorted(ordered, split.y, side=side) for side in ("left", "right")]
        return Examples(split.x, ((places[0] + places[1]) / 2 / len(ordered)).astype(np.float32))

    return replace(
        dataset,
        train=ranked(dataset.train),
        validation=ranked(dataset.validation),
        test=ranked(dataset.test),
        unit="",
    )


def _load_wine(declaration: DatasetDeclaration, _size: int | None) -> Dataset:
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    rows = x.astype(np.float32)
    rows[np.random.default_rng(_SEED).random(rows.shape) < _MISSING_SHARE] = np.nan
    examples = Examples(rows, y.astype(np.int64))
    return _divide(declaration, examples, stratified_mask(y, share=_TEST_SHARE), descriptions=_WINE, unit="")


def _divide(
    declaration: DatasetDeclaration,
    examples: Examples,
    is_test: npt.NDArray[np.bool_],
    *,
    descriptions: Mapping[str, str],
    unit: str,
) -> Dataset:
    """Divide a table into splits, and describe its columns by the training split."""
    rest, test = examples.take(~is_test), examples.take(is_test)
    chosen = (
        stratified_mask(rest.y, share=_VALIDATION_SHARE)
        if rest.y.ndim == 1
        else random_mask(len(rest), share=_VALIDATION_SHARE)
    )
    train, validation = rest.take(~chosen), rest.take(chosen)
    checksum = hashlib.sha256(np.ascontiguousarray(examples.x).data)
    checksum.update(np.ascontiguousarray(examples.y).data)
    return Dataset(
        name=declaration.name,
        labels=declaration.labels,
        train=train,
        validation=validation,
        test=test,
        sha256=checksum.hexdigest(),
        source=declaration.source,
        license=declaration.license,
        columns=describe_columns(train.x, descriptions),
        unit=unit,
    )


def describe_columns(rows: npt.NDArray[np.float32], descriptions: Mapping[str, str]) -> tuple[Column, ...]:
    """Describe the columns of a training split.

    Args:
        rows: float32 (n, columns), with NaN for missing values.
        descriptions: Unit or meaning of each column by its name, in order.
    """
    means = np.atleast_1d(np.nanmean(rows, axis=0, dtype=np.float64))
    # The text of a float32 has the fewest digits that are read as the same float32.
    limits = (map(float, map(str, figure(rows, axis=0))) for figure in (np.nanmin, np.nanmax))
    return tuple(
        Column(name=name, description=text, minimum=low, maximum=high, mean=round(mean, 6))
        for (name, text), low, high, mean in zip(descriptions.items(), *limits, means.tolist(), strict=True)
    )


DIABETES = DatasetDeclaration(
    name="diabetes",
    labels=("progression",),
    file_names=(),
    columns=tuple(_DIABETES),
    splits="266 + 88 + 88",
    source="Diabetes data of Efron, Hastie, Johnstone and Tibshirani 2004, doi:10.1214/009053604000000067, "
    "as scikit-learn ships them: progression of the disease after a year",
    license="none stated by its authors",
    fetch=_fetch,
    load=_load_diabetes,
)
DIABETES_PERCENTILE = replace(
    DIABETES,
    name="diabetes_percentile",
    labels=("percentile",),
    source=f"{DIABETES.source}, as the share of training patients with a lower one",
    load=_load_percentiles,
)
WINE = DatasetDeclaration(
    name="wine",
    labels=("cultivar 1", "cultivar 2", "cultivar 3"),
    file_names=(),
    columns=tuple(_WINE),
    splits="106 + 36 + 36",
    source="Wine (Forina and others 1991), https://doi.org/10.24432/C5PC7J, as scikit-learn ships it; a "
    "tenth of the values, chosen at random, are removed",
    license="CC BY 4.0",
    fetch=_fetch,
    load=_load_wine,
)
