"""Latency is measured alternately, on a typical input, relative to version 1."""

import io

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from service.inference.card import Card
from service.inference.catalog import BUNDLED, Catalog
from training.datasets.dataset import Dataset, Examples
from training.evaluation.latency import describe_latency, measure_latency, typical_input

LIMITS = {"mnist": 1.0, "fashion_mnist": 1.0, "cifar10": 8.0, "cats_vs_dogs": 30.0, "imdb": 0.3}
CATALOG = Catalog(BUNDLED)
DEFAULTS = [CATALOG.card(card.name) for card in CATALOG]


def _dataset(x: np.ndarray) -> Dataset:
    examples = Examples(x, np.zeros(len(x), np.int64))
    return Dataset(
        name="mnist",
        labels=("0", "1"),
        train=examples,
        validation=examples,
        test=examples,
        sha256="",
        source="",
        license="",
    )


def test_the_typical_text_is_the_one_of_median_length() -> None:
    texts = np.array(["one two three", "one", "one two"], dtype=object)
    assert typical_input(_dataset(texts)) == "one two"


def test_the_typical_picture_is_a_lossless_file(mnist_sample: Examples) -> None:
    value = typical_input(_dataset(mnist_sample.x[:3]))
    assert isinstance(value, bytes)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(value))), mnist_sample.x[0])


def test_version_1_is_its_own_baseline(mnist_sample: Examples) -> None:
    card = measure_latency(CATALOG.card("mnist", 1), models=BUNDLED, dataset=_dataset(mnist_sample.x[:3]))
    assert card.latency is not None
    assert card.latency.milliseconds > 0
    assert card.latency.ratio == 1.0
    assert "cores" in card.latency.machine
    assert describe_latency(card).startswith("mnist 1: ")


def test_a_later_version_is_measured_relative_to_version_1() -> None:
    texts = np.array(["A wonderful film, and so well played.", "Dull.", "Not bad at all."], dtype=object)
    card = measure_latency(CATALOG.card("imdb", 2), models=BUNDLED, dataset=_dataset(texts))
    assert card.latency is not None
    assert 0 < card.latency.ratio < 100
    assert card == replace(CATALOG.card("imdb", 2), latency=card.latency)


@pytest.mark.parametrize("card", [card for card in DEFAULTS if card.latency], ids=lambda card: card.name)
def test_every_default_model_is_within_its_latency_limit(card: Card) -> None:
    assert card.latency is not None
    assert card.latency.milliseconds <= LIMITS[card.name]
