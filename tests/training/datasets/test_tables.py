"""The tables that scikit-learn ships: splits, percentiles and missing values."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes as sklearn_diabetes

from training.datasets import DATASETS, Dataset, load_dataset
from training.datasets.dataset import concatenate
from training.errors import RecipeError
from training.fit.inputs import make_folds, prepare_data
from training.recipes import load_recipe

TABLES = ("diabetes", "diabetes_percentile", "wine")


def _all_rows(dataset: Dataset) -> np.ndarray:
    return concatenate([dataset.train, dataset.validation, dataset.test]).x


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_at_hand_and_its_splits_do_not_change(name: str) -> None:
    one, other = load_dataset(name), load_dataset(name)

    assert one.sha256 == other.sha256
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(one, split).x, getattr(other, split).x)
    assert " + ".join(map(str, one.splits.values())) == DATASETS[name].splits
    rows = _all_rows(one)
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert one.train.x.shape[1] == len(one.columns) == len(DATASETS[name].columns)


def test_the_columns_of_diabetes_are_those_of_scikit_learn() -> None:
    frame = sklearn_diabetes(scaled=False)

    dataset = load_dataset("diabetes")
    assert [column.name for column in dataset.columns] == list(frame.feature_names)
    assert sorted(map(tuple, _all_rows(dataset))) == sorted(map(tuple, frame.data.astype(np.float32)))


def test_columns_are_described_by_the_training_split() -> None:
    dataset = load_dataset("wine")

    for number, column in enumerate(dataset.columns):
        values = dataset.train.x[:, number]
        assert (column.minimum, column.maximum) == (np.nanmin(values), np.nanmax(values))
        assert column.mean == pytest.approx(np.nanmean(values), rel=1e-5)


def test_a_tenth_of_the_values_of_wine_is_missing_in_every_split() -> None:
    dataset = load_dataset("wine")

    for split in (dataset.train, dataset.validation, dataset.test):
        assert np.isnan(split.x).mean() == pytest.approx(0.1, abs=0.03)
        assert not np.isnan(split.x).all(axis=1).any()


def test_percentiles_are_ranks_among_the_training_patients() -> None:
    values, shares = load_dataset("diabetes"), load_dataset("diabetes_percentile")

    assert shares.train.y.mean() == pytest.approx(0.5, abs=1e-3)
    for split in ("train", "test"):
        y, ranks = getattr(values, split).y[:, 0], getattr(shares, split).y[:, 0]
        assert ranks.min() >= 0
        assert ranks.max() <= 1
        lower = np.array([(values.train.y < value).mean() for value in y])
        equal = np.array([(values.train.y == value).mean() for value in y])
        np.testing.assert_allclose(ranks, lower + equal / 2, atol=1e-6)


def test_attributes_are_those_of_the_digits(mnist_cache: object) -> None:
    digits, attributes = load_dataset("mnist"), load_dataset("mnist_attributes")

    np.testing.assert_array_equal(attributes.test.x, digits.test.x)
    for digit, (even, above) in zip(digits.test.y, attributes.test.y, strict=True):
        assert (even, above) == (digit in (0, 2, 4, 6, 8), digit in (5, 6, 7, 8, 9))


@pytest.mark.parametrize("recipe", ["diabetes-dense", "wine-dense"])
def test_tables_are_shortened_and_divided_into_folds(recipe: str) -> None:
    dataset = prepare_data(load_recipe(recipe), limit=60)

    assert len(dataset.train) == pytest.approx(60, abs=3)
    folds = make_folds(dataset, folds=3, seed=1)
    held_out = np.concatenate([fold.validation.x for fold in folds])
    assert len(held_out) == len(dataset.train) + len(dataset.validation)
    with pytest.raises(RecipeError, match="cannot be divided into 500 folds; choose from 2 to"):
        make_folds(dataset, folds=500, seed=1)
