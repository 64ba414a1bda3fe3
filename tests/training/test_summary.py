"""The command ``summary`` prints the layers that Keras builds."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from training import cli
from training.errors import RecipeError
from training.recipes import load_recipe, recipe_names

_OTHERS = [name for name in recipe_names() if load_recipe(name).reads != "texts"]


def _summary(*words: object) -> str:
    return CliRunner().invoke(cli.summary, [str(word) for word in words], catch_exceptions=False).output


def test_layers_have_shape_parameters_and_receptive_field() -> None:
    rows = {line.split()[0]: line.split()[1:] for line in _summary("mnist-convnet").splitlines() if line}

    assert rows["conv2d_2"] == ["Conv2D", "3", "×", "3", "×", "64", "36,928", "18", "×", "18"]
    assert rows["dense"] == ["Dense", "64", "36,928"]
    assert "93,322" in rows


def test_options_change_the_network() -> None:
    assert "2,038,922 parameters" in _summary("mnist-convnet", "--pooling", "none")
    assert "BatchNormalization" in _summary("mnist-dense", "--batch-norm")
    assert "BatchNormalization" not in _summary("cifar10-bn-elu", "--no-batch-norm", "--lecture")
    with pytest.raises(RecipeError, match="mnist-dense does not use --pooling"):
        _summary("mnist-dense", "--pooling", "none")


@pytest.mark.parametrize("name", _OTHERS)
def test_every_network_on_pictures_or_tables_is_summarised_without_data_and_weights(
    name: str, cache: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    text = _summary(name)

    assert load_recipe(name).head.output in text
    assert " parameters, of which training changes " in text


def test_flags_are_those_of_columns_with_missing_values() -> None:
    assert "193 parameters" in _summary("diabetes-dense")
    assert "483 parameters" in _summary("wine-dense")


def test_network_on_texts_has_the_words_of_its_data(imdb_cache: object) -> None:
    assert "words" in _summary("imdb-bigrams")
    assert "160,305 parameters" in _summary("imdb-dense")


def test_fixed_parameters_are_counted_apart() -> None:
    assert "441,516 parameters, of which training changes 440," in _summary("mnist")
