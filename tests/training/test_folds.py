"""Folds of a cross-validation hold out what no training example shows, and are kept apart from other runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from training import cli
from training.datasets import Dataset, load_dataset
from training.datasets.dataset import Examples, concatenate
from training.datasets.own import declare
from training.errors import RunError
from training.workflows.cross_validation import divide_into_folds


def _call(command: object, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def _contents(examples: Examples) -> list[bytes]:
    return [row.tobytes() for row in examples.x]


def _with_copies() -> Dataset:
    """30 pictures of two classes, each of them three times."""
    pictures = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
    declared = declare("squares", np.repeat(pictures, 3, axis=0), ["a", "b"] * 45)
    assert declared.load is not None
    return declared.load(declared, None)


def test_copies_of_held_out_examples_are_no_training_examples() -> None:
    dataset = _with_copies()

    folds = divide_into_folds(dataset, folds=4, seed=1)

    for fold in folds:
        assert not set(_contents(fold.train)) & set(_contents(fold.validation))
    held_out = [content for fold in folds for content in _contents(fold.validation)]
    assert sorted(held_out) == sorted(_contents(dataset.train) + _contents(dataset.validation))


def test_examples_that_the_user_added_are_training_examples_of_each_fold(mnist_cache: Path) -> None:
    dataset = load_dataset("mnist")
    added = Examples(np.full((12, 28, 28), np.arange(12, dtype=np.uint8)[:, None, None]), np.arange(12) % 10)
    extended = replace(dataset, train=concatenate([dataset.train, added]), extra=12)

    folds = divide_into_folds(extended, folds=3, seed=1)

    for fold in folds:
        assert fold.extra == 12
        assert _contents(fold.train)[-12:] == _contents(added)
        assert not set(_contents(fold.validation)) & set(_contents(added))
    held_out = sum(fold.splits["validation"] for fold in folds)
    assert held_out == dataset.splits["train"] + dataset.splits["validation"]


def test_a_fold_is_neither_exported_nor_continued(tmp_path: Path, imdb_cache: Path) -> None:
    # The splits of such a fold have the sizes of the data set's own.
    small = ("--width", 0.5, "--batch-size", 16, "--epochs", 1, "--runs", tmp_path / "runs")
    _call(cli.train, "imdb-dense", *small, "--folds", 5)
    refused = "imdb-dense/fold-1: is a fold of a cross-validation, whose network was trained on examples of"

    with pytest.raises(RunError, match=refused):
        _call(
            cli.export,
            *("imdb-dense", "--run", "imdb-dense/fold-1", "--runs", tmp_path / "runs"),
            *("--models", tmp_path / "models"),
        )
    with pytest.raises(RunError, match=refused):
        _call(cli.train, "imdb-dense", *small, "--init-from", "imdb-dense/fold-1", "--run", "other")
    assert not (tmp_path / "models").exists()


def test_folds_of_own_pictures_are_measured_on_them(tmp_path: Path, own_pictures: Path) -> None:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models", "--run", "pets")
    options = ("--data", own_pictures, "--width", 0.2, "--batch-size", 8, "--epochs", 1, "--folds", 2)
    _call(cli.train, "cats-dogs-scratch", *options, *folders)

    output = _call(cli.runs, "pets", "--test", "--runs", tmp_path / "runs").output

    assert "pets/fold-1: accuracy " in output
    assert "pets/fold-2: accuracy " in output
