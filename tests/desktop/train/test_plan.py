"""The plans of the app are command lines that ``lectern train`` takes."""

from pathlib import Path

import pytest

from desktop.train.plan import (
    OWN_PICTURES,
    PRESETS,
    RECIPES,
    InputKind,
    TrainableRecipe,
    TrainingPlan,
    export_command,
    train_command,
)
from training import cli
from training.recipes import load_recipe

ALL = TrainingPlan(
    recipe=RECIPES[1], examples=1000, epochs=3, width=0.5, learning_rate=0.003, constant_rate=True,
    l1=0.0001, l2=0.001, dropout=0.3, batch_norm=True, augmentation=True,
)  # fmt: skip
PLANS = (
    ALL,
    *(preset.plan for preset in PRESETS),
    *(TrainingPlan(recipe=recipe, augmentation=False) for recipe in RECIPES),
)


def options(plan: TrainingPlan, tmp_path: Path) -> dict[str, object]:
    """Parse the command line of a plan with the command itself."""
    words = train_command(
        plan, tmp_path / "run", models=tmp_path / "models", watch=tmp_path / "watched", resume=False
    )
    return cli.train.make_context("train", list(words[1:])).params


@pytest.mark.parametrize("plan", PLANS)
def test_the_recipe_takes_the_settings(plan: TrainingPlan, tmp_path: Path) -> None:
    parsed = options(plan, tmp_path)
    names = (
        "epochs",
        "width",
        "learning_rate",
        "l1",
        "l2",
        "dropout",
        "batch_norm",
        "schedule",
        "augmentation",
    )

    recipe = load_recipe(plan.recipe.name).configure({name: parsed[name] for name in names})

    if plan.epochs:
        assert recipe.hyperparameters.epochs == plan.epochs
    assert parsed["progress"] == "json"
    assert parsed["examples"] == plan.examples


def test_all_settings_arrive(tmp_path: Path) -> None:
    parsed = options(ALL, tmp_path)
    expected = {
        "recipe": "mnist-small-convnet", "examples": 1000, "epochs": 3, "width": 0.5, "learning_rate": 0.003,
        "schedule": "constant", "l1": 0.0001, "l2": 0.001, "dropout": 0.3, "batch_norm": True,
        "run_name": "run", "runs": tmp_path, "watch": tmp_path / "watched",
    }  # fmt: skip
    assert {name: parsed[name] for name in expected} == expected
    assert parsed["augmentation"]


def test_pictures_of_ones_own_become_a_model_of_the_runs_name(tmp_path: Path) -> None:
    parsed = options(TrainingPlan(recipe=OWN_PICTURES, folder=tmp_path / "pets", examples=1000), tmp_path)
    assert (parsed["data"], parsed["name"], parsed["models"]) == (
        tmp_path / "pets",
        "run",
        tmp_path / "models",
    )
    assert parsed["examples"] is None


def test_a_run_is_resumed_with_its_own_settings(tmp_path: Path) -> None:
    words = train_command(ALL, tmp_path / "run", models=tmp_path, watch=tmp_path / "watched", resume=True)
    parsed = cli.train.make_context("train", list(words[1:])).params
    assert parsed["resume"]
    assert parsed["epochs"] is None


def test_the_export_has_the_name_of_the_run(tmp_path: Path) -> None:
    words = export_command(ALL, tmp_path / "run", models=tmp_path / "models")
    parsed = cli.export.make_context("export", list(words[1:])).params
    assert (parsed["name"], parsed["run_names"]) == ("run", ("run",))


@pytest.mark.parametrize("recipe", [*RECIPES, OWN_PICTURES])
def test_the_kind_of_input_is_that_of_the_recipe(recipe: TrainableRecipe) -> None:
    kinds = {"digit": InputKind.DIGIT, "text": InputKind.TEXT}
    assert recipe.reads is kinds.get(load_recipe(recipe.name).preprocessing, InputKind.PICTURE)
