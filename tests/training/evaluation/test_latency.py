"""What an answer costs: measured in turn, on a typical input, against version 1."""

import io
import time

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from service.inference.card import Card
from service.inference.catalog import BUNDLED, Catalog
from training.datasets.dataset import Dataset, Examples
from training.evaluation.latency import describe_cost, measure_cost, median_milliseconds, typical_input

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


def test_a_slower_call_costs_as_much_more_as_it_is_slower() -> None:
    def spin(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    short, long = median_milliseconds([lambda: spin(0.001), lambda: spin(0.004)], seconds=0.2)
    assert 0.9 < short < long
    assert long / short == pytest.approx(4, rel=0.5)


def test_the_typical_text_is_the_one_of_median_length() -> None:
    texts = np.array(["one two three", "one", "one two"], dtype=object)
    assert typical_input(_dataset(texts)) == "one two"


def test_the_typical_picture_is_a_file_that_holds_it_unchanged(mnist_sample: Examples) -> None:
    value = typical_input(_dataset(mnist_sample.x[:3]))
    assert isinstance(value, bytes)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(value))), mnist_sample.x[0])


def test_version_1_is_its_own_measure(mnist_sample: Examples) -> None:
    card = measure_cost(CATALOG.card("mnist", 1), models=BUNDLED, dataset=_dataset(mnist_sample.x[:3]))
    assert card.latency is not None
    assert card.latency.milliseconds > 0
    assert card.latency.ratio == 1.0
    assert "cores" in card.latency.machine
    assert describe_cost(card).startswith("mnist 1: ")


def test_a_later_version_is_measured_in_turn_with_the_first() -> None:
    texts = np.array(["A wonderful film, and so well played.", "Dull.", "Not bad at all."], dtype=object)
    card = measure_cost(CATALOG.card("imdb", 2), models=BUNDLED, dataset=_dataset(texts))
    assert card.latency is not None
    assert 0 < card.latency.ratio < 100
    assert card == replace(CATALOG.card("imdb", 2), latency=card.latency)


@pytest.mark.parametrize("card", [card for card in DEFAULTS if card.latency], ids=lambda card: card.name)
def test_every_default_model_is_as_fast_as_was_asked(card: Card) -> None:
    assert card.latency is not None
    assert card.latency.milliseconds <= LIMITS[card.name]
