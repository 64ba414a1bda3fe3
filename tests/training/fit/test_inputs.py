"""K-fold cross-validation holds out every example once."""

from pathlib import Path

import numpy as np

from training.datasets.dataset import Dataset, Examples
from training.fit.inputs import make_folds, prepare_data
from training.recipes import load_recipe


def test_every_example_is_held_out_once_and_classes_are_spread_evenly() -> None:
    y = np.repeat([0, 1, 2], [30, 20, 10])
    examples = Examples(np.arange(60), y)
    dataset = Dataset(
        name="numbers",
        labels=("a", "b", "c"),
        train=examples.take(slice(0, None, 2)),
        validation=examples.take(slice(1, None, 2)),
        test=examples,
        sha256="",
        source="",
        license="",
    )

    folds = make_folds(dataset, folds=5, seed=1)

    assert sorted(np.concatenate([fold.validation.x for fold in folds])) == list(range(60))
    for fold in folds:
        assert np.bincount(fold.validation.y).tolist() == [6, 4, 2]
        assert not set(fold.train.x) & set(fold.validation.x)
        assert len(fold.train) == 48
    again = make_folds(dataset, folds=5, seed=1)
    assert all(np.array_equal(one.train.x, other.train.x) for one, other in zip(folds, again, strict=True))


def test_texts_of_different_lengths_are_divided_into_folds(imdb_cache: Path) -> None:
    dataset = prepare_data(load_recipe("imdb-dense"))
    assert dataset.train.x.shape[1] != dataset.validation.x.shape[1]

    folds = make_folds(dataset, folds=3, seed=1)

    known = {tuple(row[row > 0]) for part in (dataset.train, dataset.validation) for row in part.x}
    assert {tuple(row[row > 0]) for fold in folds for row in fold.validation.x} == known


def test_sentences_stay_with_their_review(imdb_cache: Path) -> None:
    dataset = prepare_data(load_recipe("imdb-sentences"))

    for part in (dataset.train, dataset.validation, make_folds(dataset, folds=3, seed=1)[0].train):
        assert part.sentences is not None
        assert len(part.sentences) == len(part)
        shared = [
            np.isin(np.unique(np.concatenate([sentence.ids for sentence in sentences])), ids)
            for ids, sentences in zip(part.x, part.sentences, strict=True)
        ]
        # A negation at the end of a sentence reaches into the next one in the whole review alone.
        assert np.concatenate(shared).mean() > 0.95
    assert dataset.test.sentences is None
