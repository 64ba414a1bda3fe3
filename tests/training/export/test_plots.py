"""Plots of runs and models draw any label, and stay small."""

import io
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from service.inference.card import Card, read_card
from training.export.plots import plot_comparison, plot_confusion
from training.fit.run import Epoch

EPOCH = Epoch(number=1, loss=0.5, accuracy=0.8, validation_loss=0.4, validation_accuracy=0.85, seconds=1.0)


def _confusion(card: Card, labels: tuple[str, ...]) -> tuple[int, int]:
    """Plot the confusion matrix of random predictions; return the size of the picture."""
    probabilities = np.random.default_rng(0).random((2 * len(labels), len(labels)))
    y = np.arange(2 * len(labels)) % len(labels)
    png = plot_confusion(msgspec.structs.replace(card, labels=labels), probabilities, y)
    with Image.open(io.BytesIO(png)) as picture:
        picture.load()
        return picture.size


@pytest.fixture
def card(models_folder: Path) -> Card:
    return read_card(models_folder / "mnist" / "1" / "card.json")


@pytest.mark.parametrize("labels", [("a$_$", "b$\\frac$"), ("ねこ", "犬 🐕"), ("_hidden", "two words")])
def test_confusion_matrix_has_any_label(card: Card, labels: tuple[str, ...]) -> None:
    assert min(_confusion(card, labels)) > 300


def test_confusion_matrix_of_many_labels_stays_small(card: Card) -> None:
    assert max(_confusion(card, tuple(f"class {number}" for number in range(300)))) < 4_000


def test_comparison_names_the_figure_of_its_runs() -> None:
    accuracy = plot_comparison({"a$_$": [EPOCH]}, title="x")
    values = plot_comparison({"a$_$": [replace(EPOCH, measure="R²")]}, title="x")
    both = plot_comparison({"a$_$": [EPOCH, replace(EPOCH, measure="R²")]}, title="x")

    assert len({accuracy, values, both}) == 3
