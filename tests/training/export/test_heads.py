"""Recipes of other heads are trained, exported, evaluated and used, from the command line to the SDK."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from sklearn.metrics import log_loss, mean_absolute_error, r2_score

from service.inference.card import Card
from service.inference.catalog import Catalog
from training import cli
from training.datasets import load_dataset
from training.errors import ExportError, RecipeError
from training.export.parity import check_parity, check_values
from training.fit.run import read_history
from training.metrics import compute_metrics, compute_regression_metrics

RECIPES = {
    "diabetes-dense": "diabetes",
    "diabetes-percentile": "diabetes_percentile",
    "wine-dense": "wine",
    "mnist-attributes": "mnist_attributes",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


def _call(command: Any, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def export(mnist_cache: Path, folder: Path) -> Callable[[str], Card]:
    """Train a recipe for a few epochs and export it, once in this module."""

    def make(recipe: str) -> Card:
        name = RECIPES[recipe]
        if not (folder / "models" / name).exists():
            trained = _call(cli.train, recipe, "--epochs", 3, "--runs", folder / "runs")
            assert trained.exit_code == 0, trained.output
            words = ("--runs", folder / "runs", "--models", folder / "models")
            assert _call(cli.export, recipe, *words).exit_code == 0
        return Catalog(folder / "models").card(name)

    return make


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_trained_exported_and_evaluated(
    export: Callable[[str], Card], folder: Path, recipe: str
) -> None:
    card = export(recipe)

    assert card.max_keras_difference <= 1e-4
    files = {path.name for path in (folder / "models" / card.name / "1").iterdir()}
    kinds = {"regression": {"values.png"}, "tabular-classification": {"confusion.png"}}
    assert files == {"card.json", "model.onnx", "curves.png"} | kinds.get(card.task, set())
    for name in files - {"card.json", "model.onnx"}:
        Image.open(folder / "models" / card.name / "1" / name).verify()
    evaluated = _call(cli.evaluate, card.name, "--models", folder / "models")
    assert evaluated.exit_code == 0, evaluated.output
    assert "DIFFERS" not in evaluated.output
    tested = _call(cli.runs, recipe, "--test", "--runs", folder / "runs")
    assert ("R² " if card.regression else "accuracy ") in tested.output.splitlines()[-1]


def test_a_card_states_task_columns_and_errors(export: Callable[[str], Card], folder: Path) -> None:
    card, dataset = export("diabetes-dense"), load_dataset("diabetes")

    assert (card.task, card.labels, card.reads, card.output) == (
        "regression", ("progression",), "tables", "values"
    )  # fmt: skip
    assert (card.input.name, card.input.dtype, card.input.shape) == ("features", "float32", (-1, 10))
    assert [column["name"] for column in card.input.parameters["columns"]] == [
        column.name for column in dataset.columns
    ]
    assert (card.metrics, card.explanation, card.calibration) == (None, None, None)
    predictor = Catalog(folder / "models").predictor("diabetes")
    names = [column.name for column in dataset.columns]
    rows = [dict(zip(names, map(float, row), strict=True)) for row in dataset.test.x]
    values = [found.value for found in predictor.predict_values(rows)]
    assert card.regression is not None
    assert card.regression.r2 == pytest.approx(r2_score(dataset.test.y, values), abs=1e-5)
    assert card.regression.mean_absolute_error == pytest.approx(
        mean_absolute_error(dataset.test.y, values), rel=1e-4
    )


def test_a_sigmoid_keeps_the_values_from_0_to_1(export: Callable[[str], Card], folder: Path) -> None:
    export("diabetes-percentile")
    predictor = Catalog(folder / "models").predictor("diabetes_percentile")

    extremes = np.full((2, 10), 1e6, np.float32) * [[1], [-1]]
    for result in predictor.predict_array_values(extremes.astype(np.float32)):
        assert 0 <= result.value <= 1


def test_a_missing_value_changes_little_and_has_a_flag(export: Callable[[str], Card], folder: Path) -> None:
    card = export("wine-dense")

    assert card.input.parameters["most_missing"] == np.isnan(load_dataset("wine").train.x).sum(axis=1).max()
    (first,) = [layer for layer in card.layers if layer.name == "scaling"]
    assert first.output_shape == (-1, 26)
    predictor = Catalog(folder / "models").predictor("wine")
    row: dict[str, float | None] = dict(predictor.table.sample())  # type: ignore[union-attr]
    complete = predictor.predict([row])[0]
    without = predictor.predict([row | {"ash": None}])[0]
    scores = {score.label: score.score for score in complete.scores}
    assert all(abs(scores[score.label] - score.score) < 0.3 for score in without.scores)
    assert scores != {score.label: score.score for score in without.scores}


def test_the_labels_of_an_example_are_measured_together(export: Callable[[str], Card], folder: Path) -> None:
    card = export("mnist-attributes")

    assert card.task == "multi-label-classification"
    assert card.metrics is not None
    assert card.metrics.accuracy <= min(card.metrics.per_class_accuracy.values())
    assert 0.5 < card.unsure_below <= 1
    history = read_history(folder / "runs" / "mnist-attributes" / "epochs.json")
    assert history[-1].validation_accuracy <= 1


def test_progress_and_tables_of_a_regression_name_r2(export: Callable[[str], Card], folder: Path) -> None:
    export("diabetes-dense")
    again = _call(cli.train, "diabetes-dense", "--epochs", 2, "--runs", folder / "runs", "--run", "again")

    assert "  R² " in again.output
    assert "accuracy" not in again.output
    runs = _call(cli.runs, "again", "--runs", folder / "runs")
    assert "validation R²" in runs.output
    history = read_history(folder / "runs" / "again" / "epochs.json")
    dataset = load_dataset("diabetes")
    expected = 1 - (history[-1].validation_loss / float(dataset.validation.y.var()))
    assert history[-1].validation_accuracy == pytest.approx(
        expected, abs=0.01
    )  # The loss has the penalty, too.


def test_a_regression_is_cross_validated_and_resumed(folder: Path) -> None:
    words = ("diabetes-dense", "--epochs", 2, "--runs", folder / "runs", "--run", "folds", "--folds", 3)
    folds = _call(cli.train, *words)

    assert folds.output.count("validation R²") == 3
    resumed = _call(cli.train, *words, "--resume")
    assert [line for line in resumed.output.splitlines() if line.startswith("fold")] == [
        line for line in folds.output.splitlines() if line.startswith("fold")
    ]


@pytest.mark.parametrize(
    ("recipe", "words"),
    [("wine-dense", "takes rows of a table"), ("mnist-attributes", "images for multi-label")],
)
def test_folders_of_images_are_refused(tmp_path: Path, recipe: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        CliRunner().invoke(
            cli.train, [recipe, "--data", str(tmp_path), "--runs", str(tmp_path)], catch_exceptions=False
        )


def test_quantizing_and_recalibrating_are_refused(export: Callable[[str], Card], folder: Path) -> None:
    models = ("--models", folder / "models")
    for recipe, kind in (
        ("diabetes-dense", "reads tables"),
        ("mnist-attributes", "multi-label-classification"),
    ):
        name = export(recipe).name
        with pytest.raises(ExportError, match=rf"{kind}.*; only classifiers with convolutions can be"):
            _call(cli.quantize, name, *models)
        with pytest.raises(ExportError, match=r"whose output is not calibrated"):
            _call(cli.evaluate, name, "--recalibrate", *models)


def test_a_difference_from_keras_is_refused() -> None:
    y = np.array([[0.0], [200.0]], np.float32)

    assert check_values(y, y + 1e-3, y=y) == pytest.approx(1e-5, rel=0.1)
    with pytest.raises(ExportError, match=r"differ by 0.001, more than 0.0001"):
        check_values(y, y + 0.1, y=y)
    expected = np.array([[0.49996, 0.9], [0.500001, 0.1]], np.float32)
    with pytest.raises(ExportError, match="1 of 4 labels changed"):
        check_parity(expected, np.array([[0.50003, 0.9], [0.499999, 0.1]], np.float32), multi_label=True)


def test_metrics_of_several_labels_and_of_values_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probabilities, y = rng.random((200, 3)), rng.integers(0, 2, (200, 3))

    found = compute_metrics(probabilities, y, labels=("a", "b", "c"))
    assert found.accuracy == ((probabilities >= 0.5) == y).all(axis=1).mean()
    assert found.log_loss == pytest.approx(log_loss(y.ravel(), probabilities.ravel()))
    assert list(found.per_class_accuracy.values()) == pytest.approx(
        ((probabilities >= 0.5) == y).mean(axis=0)
    )
    values = y + rng.normal(size=y.shape)
    errors = compute_regression_metrics(values, y.astype(float), unit="m")
    assert errors.root_mean_squared_error == pytest.approx(
        np.mean([np.sqrt(np.mean((values - y)[:, column] ** 2)) for column in range(3)])
    )
    assert json.loads(json.dumps(errors.r2)) < 1


def test_the_latency_of_a_table_is_measured(export: Callable[[str], Card], folder: Path) -> None:
    export("wine-dense")

    result = _call(cli.evaluate, "wine", "--models", folder / "models", "--latency", "--record")
    assert result.exit_code == 0
    latency = Catalog(folder / "models").card("wine").latency
    assert latency is not None
    assert 0 < latency.milliseconds < 5
