"""Runs are compared and combined with each other as their own recipes and settings say."""

from pathlib import Path

import keras
import pytest
from click.testing import CliRunner, Result

from training import cli
from training.datasets import Dataset
from training.errors import RunError
from training.recipes.recipe import Recipe
from training.workflows import export_job


def _call(command: object, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def _train(tmp_path: Path, *words: object, recipe: str = "mnist-dense") -> Result:
    return _call(cli.train, recipe, "--epochs", 1, "--width", 0.1, "--runs", tmp_path / "runs", *words)


def _export(tmp_path: Path, *words: object) -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models")
    return _call(cli.export, "mnist-dense", *folders, *words)


@pytest.fixture
def trained(tmp_path: Path, mnist_cache: Path) -> Path:
    """A folder with a run of mnist-dense."""
    _train(tmp_path)
    return tmp_path


def test_another_recipes_run_is_compared_as_that_recipe_exports_it(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(trained, "--run", "convolutions", recipe="mnist-small-convnet")
    measured: list[str] = []
    original = export_job.measure_network

    def measure(model: keras.Model, dataset: Dataset, *, recipe: Recipe) -> object:
        measured.append(recipe.name)
        return original(model, dataset, recipe=recipe)

    monkeypatch.setattr(export_job, "measure_network", measure)
    _export(trained, "--compare", "convolutions")

    assert measured == ["mnist-small-convnet"]


def test_runs_with_and_without_initial_weights_are_no_ensemble(trained: Path) -> None:
    _train(trained, "--init-from", "mnist-dense", "--run", "continued", "--seed", 2)

    for first, second in (("mnist-dense", "continued"), ("continued", "mnist-dense")):
        with pytest.raises(RunError, match=r"differs from .* in more than the seed"):
            _export(trained, "--run", first, "--run", second)
