"""Tests what words add, against the weights of networks that are known."""

import numpy as np
import pytest

from desktop.lab.words import contributions as module
from desktop.lab.words.contributions import WordRunner, contributions
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.errors import InputTooLarge

CATALOG = Catalog(BUNDLED)
TEXT = "A wonderful film, not a bad one. The worst of the jokes are funny. " * 3


def linear(rows: np.ndarray) -> np.ndarray:
    weights = np.array([0, 0.5, -2, 3, 0.25])
    return weights[rows].sum(axis=1) - 0.7


def test_a_linear_network_gives_its_weights() -> None:
    found = contributions(linear, np.array([1, 2, 4], dtype=np.int32))
    assert found.exact
    np.testing.assert_allclose(found.values, [0.5, -2, 0.25])
    assert (found.base, found.logit) == (-0.7, pytest.approx(-1.95))


def test_of_another_network_each_word_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    def squared(rows: np.ndarray) -> np.ndarray:
        return linear(rows) ** 2

    monkeypatch.setattr(module, "_BATCH", 2)
    found = contributions(squared, np.array([1, 2, 4], dtype=np.int32))
    assert not found.exact
    np.testing.assert_allclose(found.values, 1.95**2 - np.array([2.45, -0.05, 2.2]) ** 2)
    monkeypatch.setattr(module, "MAX_REMOVED", 2)
    with pytest.raises(InputTooLarge, match="3 different words, more than 2"):
        contributions(squared, np.array([1, 2, 4], dtype=np.int32))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_networks_for_reviews(version: int) -> None:
    card = CATALOG.card("imdb", version)
    runner = WordRunner.load(CATALOG.folder(card), card)
    ids = CATALOG.predictor("imdb", version).prepare(TEXT)
    found = runner.explain(ids)
    # The lecture's network has hidden layers, and version 3 depends on the length of the text.
    assert found.exact == (version == 2)
    if found.exact:
        assert found.base + found.values.sum() == pytest.approx(found.logit, abs=1e-4)
    for place in (0, len(ids) - 1):
        rest = np.delete(ids, place)[None]
        assert found.values[place] == pytest.approx(found.logit - runner.logits(rest)[0], abs=1e-4)


def test_the_logit_orders_texts_as_the_probability_does() -> None:
    for version in (1, 2, 3):
        card = CATALOG.card("imdb", version)
        runner, predictor = WordRunner.load(CATALOG.folder(card), card), CATALOG.predictor("imdb", version)
        texts = ("wonderful great film", "a film", "not good", "the worst awful waste", TEXT)
        rows = [predictor.prepare(text) for text in texts]
        logits = [runner.logits(row[None])[0] for row in rows]
        scores = [predictor.probabilities(row[None])[0, -1] for row in rows]
        assert np.argsort(logits).tolist() == np.argsort(scores).tolist()
