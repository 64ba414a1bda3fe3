"""Contributions of words against the weights in the network's file, and predictions without the word."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest

from service.inference.catalog import BUNDLED, Catalog
from service.inference.errors import InputTooLarge, InvalidInput, NoWords
from service.inference.word_contributions import word_contributions

ROOT = Path(__file__).resolve().parents[3]
TEXT = "The plot is <b>not good</b>, but the acting is wonderful: good, good fun &amp; a great ending."


@pytest.fixture(scope="module")
def bundled() -> Catalog:
    return Catalog(BUNDLED)


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    with gzip.open(ROOT / "tests/data/imdb.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines][:150:10]


def linear_score() -> tuple[Callable[[float], float], dict[str, float]]:
    """Return what turns log-odds into the linear network's sum, and the weights by word, from its file."""
    folder = BUNDLED / "imdb" / "2"
    values = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(folder / "model.onnx").graph.initializer
    }
    slope, power = float(values["calibration/slope"]), float(values["calibration/power"])
    (weights,) = (value.ravel() for value in values.values() if value.size > 1000)
    words = (folder / "vocabulary.txt").read_text("utf-8").split()

    def score(log_odds: float) -> float:
        return math.copysign(abs(log_odds) ** (1 / power), log_odds) / slope

    return score, {word.replace("_", " "): float(weight) for word, weight in zip(words, weights, strict=True)}


def test_contributions_are_the_weights_of_the_linear_network(bundled: Catalog, reviews: list[str]) -> None:
    predictor = bundled.predictor("imdb", 2)
    score, weights = linear_score()
    count = 0
    for text in [TEXT, *reviews]:
        found = word_contributions(predictor, text, label="positive")
        for word in found.words:
            change = score(found.log_odds) - score(found.log_odds - word.contribution)
            assert change == pytest.approx(weights[word.word], abs=2e-3 * max(1, abs(score(found.log_odds))))
            count += 1
    assert count > 2000


@pytest.mark.parametrize("version", [1, 2])
def test_a_contribution_is_what_the_prediction_loses_without_the_word(bundled: Catalog, version: int) -> None:
    predictor = bundled.predictor("imdb", version)
    found = word_contributions(predictor, TEXT)
    whole = predictor.predict([TEXT])[0]
    assert (found.model, found.version, found.label) == ("imdb", version, whole.best.label)
    odds = whole.best.score / (1 - whole.best.score)
    assert found.log_odds == pytest.approx(math.log(odds), abs=1e-3)
    ids = predictor.prepare(TEXT)
    assert predictor.vocabulary is not None
    for word in found.words:
        number = predictor.vocabulary.words.index(word.word.replace(" ", "_")) + 1
        rest = predictor.classify([ids[ids != number]])[0]
        (score,) = (row.score for row in rest.scores if row.label == found.label)
        assert word.contribution == pytest.approx(math.log(odds / (score / (1 - score))), abs=1e-3)


def test_words_have_their_places_and_the_largest_contributions_are_first(bundled: Catalog) -> None:
    found = word_contributions(bundled.predictor("imdb", 2), TEXT, label="positive")
    by_word = {word.word: word for word in found.words}
    assert [TEXT[slice(*span)] for span in by_word["good"].spans] == ["good"] * 3
    assert [TEXT[slice(*span)] for span in by_word["not good"].spans] == ["not good"]
    assert by_word["wonderful"].contribution > 0 > by_word["plot is"].contribution
    sizes = [abs(word.contribution) for word in found.words]
    assert sizes == sorted(sizes, reverse=True)


def test_a_negated_word_is_a_word_of_its_own(bundled: Catalog) -> None:
    found = word_contributions(bundled.predictor("imdb", 3), TEXT, label="positive")
    by_word = {word.word: word for word in found.words}
    assert [TEXT[slice(*span)] for span in by_word["good"].spans] == ["good", "good"]
    assert [TEXT[slice(*span)] for span in by_word["not … good"].spans] == ["good"]
    assert [TEXT[slice(*span)] for span in by_word["not good"].spans] == ["not good"]
    assert by_word["good"].contribution > 0 > by_word["not … good"].contribution


def test_the_contributions_to_the_two_labels_are_opposite(bundled: Catalog) -> None:
    first, second = (
        {
            word.word: word.contribution
            for word in word_contributions(bundled.predictor("imdb"), TEXT, label=label).words
        }
        for label in ("positive", "negative")
    )
    assert first == pytest.approx({word: -value for word, value in second.items()}, abs=1e-9)


def test_a_single_word_is_compared_with_no_word(bundled: Catalog) -> None:
    predictor = bundled.predictor("imdb")
    (word,) = word_contributions(predictor, "wonderful", label="positive").words
    (nothing,) = predictor.probabilities(np.zeros((1, 1), dtype=np.int32))
    (whole,) = predictor.probabilities(predictor.prepare("wonderful")[np.newaxis])
    assert word.contribution == pytest.approx(
        math.log(whole[1] / whole[0]) - math.log(nothing[1] / nothing[0])
    )


def test_what_has_no_contributions_is_an_error(bundled: Catalog) -> None:
    predictor = bundled.predictor("imdb")
    assert predictor.vocabulary is not None
    with pytest.raises(InvalidInput, match="mnist reads pictures"):
        word_contributions(bundled.predictor("mnist"), TEXT)
    with pytest.raises(InvalidInput, match="no label 'great'; it has negative, positive"):
        word_contributions(predictor, TEXT, label="great")
    with pytest.raises(NoWords):
        word_contributions(predictor, "xyzzyx")
    with pytest.raises(InputTooLarge, match="different words and phrases"):
        word_contributions(predictor, " . ".join(predictor.vocabulary.words[:20_000:2]).replace("_", " "))
