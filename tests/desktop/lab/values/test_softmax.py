"""Tests softmax with a temperature against SciPy and the networks' own scores."""

import numpy as np
import pytest
from scipy import special

from desktop.lab.network.activations import NetworkRunner
from desktop.lab.values.softmax import Softmax, read_logits
from service.inference import Catalog
from service.inference.catalog import BUNDLED

LOGITS = np.array([-6.8, 3.7, -0.1, 12.8, 12.1])


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1, 3, 20])
def test_shares_are_those_of_scipy(temperature: float) -> None:
    softmax = Softmax(LOGITS, temperature)
    np.testing.assert_allclose(softmax.shares, special.softmax(LOGITS / temperature))
    expected = special.entr(softmax.shares).sum() / np.log(2)
    assert softmax.entropy == pytest.approx(expected, abs=1e-12)
    assert np.argsort(softmax.shares).tolist() == np.argsort(LOGITS).tolist()


def test_huge_logits_do_not_overflow() -> None:
    softmax = Softmax(np.array([1000.0, -1000.0, 999.0]), 0.1)
    np.testing.assert_allclose(softmax.shares, [1, 0, special.expit(-10)], atol=5e-5)
    assert softmax.entropy >= 0


@pytest.mark.parametrize(
    ("name", "version"), [("mnist", 1), ("mnist", 2), ("cats_vs_dogs", 1), ("cifar10", 3)]
)
def test_at_temperature_1_the_shares_are_the_scores(name: str, version: int) -> None:
    catalog = Catalog(BUNDLED)
    card = catalog.card(name, version)
    pixels = np.random.default_rng(8).integers(0, 256, card.input.shape[1:], dtype=np.uint8)
    found = NetworkRunner.load(catalog.folder(card), card).run(pixels)
    np.testing.assert_allclose(Softmax(read_logits(found)).shares, found.scores, atol=1e-5)
