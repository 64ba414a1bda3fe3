"""Recipes are found by their names, state their results, and one of each data set is its default."""

import importlib
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from recipe_networks import NAMES

from service.inference.catalog import Catalog
from training import cli, recipes
from training.datasets import DATASETS
from training.errors import RecipeError
from training.recipes import default_recipe, load_recipe, recipe_names
from training.reporting.results import read_results


@pytest.mark.parametrize("name", NAMES)
def test_header_states_the_result(name: str) -> None:
    module = importlib.import_module(f"training.recipes.{name.replace('-', '_')}")
    assert module.RECIPE.name == name
    assert module.__doc__.startswith(f"{name}: ")

    # A new recipe has no result until it is exported with --record.
    result = read_results().get(name)
    if result is None:
        return
    assert re.search(rf"\b{result.accuracy:.4f}\b", module.__doc__)
    assert f"seed {result.seed}" in module.__doc__
    assert f"{result.epochs} epochs" in module.__doc__


@pytest.mark.parametrize("dataset", [name for name, entry in DATASETS.items() if entry.load])
def test_every_data_set_has_one_default_recipe(dataset: str) -> None:
    defaults = [name for name in NAMES if load_recipe(name).default and load_recipe(name).dataset == dataset]

    assert defaults == [default_recipe(dataset).name]


def test_unknown_name_is_refused_with_all_names() -> None:
    with pytest.raises(RecipeError, match="no recipe 'nothing'; choose from cats-dogs-features"):
        load_recipe("nothing")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("mnist-hands", "mnist-strokes"),
        ("cifar10-damaged", "cifar10-corruptions"),
        ("mnist-dens", "mnist-dense"),
    ],
)
def test_former_or_misspelt_name_is_refused_with_a_suggestion(name: str, suggestion: str) -> None:
    with pytest.raises(RecipeError, match=f"no recipe '{name}'; did you mean {suggestion}"):
        load_recipe(name)


def test_new_recipe_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(recipes.__file__).with_name("mnist_dense.py").read_text()
    (tmp_path / "mnist_new.py").write_text(source.replace("mnist-dense", "mnist-new"))
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path)])

    recipe = load_recipe("mnist-new")

    monkeypatch.delitem(sys.modules, "training.recipes.mnist_new")
    assert recipe.name == "mnist-new"
    assert "mnist-new" in recipe_names()
    missing = CliRunner().invoke(cli.export, ["mnist-new", "--runs", str(tmp_path)])
    assert "contains no finished run" in str(missing.exception)
    assert "(mnist-new" not in CliRunner().invoke(cli.train, ["mnist-new", "--epochs", "0"]).output


def test_default_recipe_is_that_of_the_served_default_version(models_folder: Path) -> None:
    catalog = Catalog(models_folder, providers=("cpu",))

    def trained_first(recipe: str) -> str:
        continued = load_recipe(recipe).init_from
        return trained_first(continued) if continued else recipe

    assert {card.name: trained_first(card.recipe.name) for card in catalog} == {
        card.name: default_recipe(card.name).name for card in catalog
    }
