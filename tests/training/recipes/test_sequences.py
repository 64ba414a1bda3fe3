"""Networks of sequences are trained, exported, served, explained, and take ids in their order."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from service.inference.catalog import Catalog
from service.inference.errors import InputTooLarge, InvalidTensor, NoWords
from service.inference.predictor import Predictor
from service.inference.word_contributions import word_contributions
from training import cli

TEXT = "The film is not good, and the plot of the film is bad."


def _call(command: object, *words: object) -> str:
    result = CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(params=["imdb-conv1d", "imdb-gru"])
def models(request: pytest.FixtureRequest, tmp_path: Path, imdb_cache: Path) -> Path:
    """A folder with a model that was trained for one epoch on 80 reviews."""
    runs = ("--runs", tmp_path / "runs")
    _call(cli.train, request.param, "--epochs", 1, "--width", 0.2, "--batch-size", 16, *runs)
    _call(cli.export, request.param, *runs, "--models", tmp_path / "models")
    return tmp_path / "models"


def test_model_is_exported_evaluated_and_explained(models: Path) -> None:
    predictor = Catalog(models).predictor("imdb")

    card = predictor.card
    assert (card.task, card.input.preprocessing) == ("text-classification", "sequence")
    assert card.max_keras_difference < 1e-4
    _call(cli.evaluate, "imdb", "--models", models)
    _check_order(predictor)
    _check_contributions(predictor)
    _check_arrays(predictor)


def _check_order(predictor: Predictor) -> None:
    vocabulary = predictor.vocabulary
    assert vocabulary is not None
    ids = predictor.prepare(TEXT)
    words = ["the", "film", "is", "not", "good", "and", "the", "plot", "of", "the", "film", "is", "bad"]
    assert [vocabulary.words[number - 1] for number in ids] == words
    assert len(predictor.prepare("film " * 1_000)) == predictor.card.input.length
    with pytest.raises(NoWords):
        predictor.prepare("xyzzyx")


def _check_contributions(predictor: Predictor) -> None:
    found = word_contributions(predictor, TEXT, label="positive")

    assert {word.word for word in found.words} == set(TEXT.lower().replace(",", "").replace(".", "").split())
    film = next(word for word in found.words if word.word == "film")
    assert [TEXT[slice(*span)] for span in film.spans] == ["film", "film"]
    whole, without = (
        predictor.probabilities(predictor.prepare(text)[None])[0]
        for text in (TEXT, "The is not good, and the plot of the is bad.")
    )
    odds = [np.log(row[1] / row[0]) for row in (whole, without)]
    assert film.contribution == pytest.approx(odds[0] - odds[1], abs=1e-4)


def _check_arrays(predictor: Predictor) -> None:
    ids, length = predictor.prepare(TEXT), predictor.card.input.length
    assert length is not None

    (local,) = predictor.predict([TEXT])
    assert predictor.predict_array(ids[None]) == [local]
    (padded,) = predictor.predict_array(np.pad(ids, (0, 4))[None])
    assert padded.best.score == pytest.approx(local.best.score, abs=1e-5)
    with pytest.raises(InvalidTensor, match="ids after a 0"):
        predictor.predict_array(np.array([[5, 0, 7]]))
    with pytest.raises(InvalidTensor, match="whole numbers from 0 to"):
        predictor.predict_array(np.array([[1_000_000]]))
    with pytest.raises(InputTooLarge, match=f"{length + 1} ids a text are more than the {length}"):
        predictor.predict_array(np.ones((1, length + 1)))
    with pytest.raises(InvalidTensor, match="reads words in their order, which a multi-hot row"):
        predictor.predict_array(np.ones((1, 10_001)), encoding="multi_hot")
