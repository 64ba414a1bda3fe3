"""Defines what several commands share: options for folders and versions, and names of recipes and runs."""

import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from training.backend import silence_libraries
from training.errors import RecipeError, TrainingError
from training.recipes import default_recipe, load_recipe_file, recipe_names, unknown_recipe
from training.workflows.hints import DEFAULT_RUNS, chosen_models

RECIPES_EPILOG = "\b\n" + textwrap.fill(
    f"Recipes: {', '.join(recipe_names())}.", width=76, break_on_hyphens=False
)
# Names of the backends' exceptions, whose classes would have to be imported.
_OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")
_WIDTH = 1_000  # columns of a table that is not printed in a terminal
folder_type = click.Path(path_type=Path, file_okay=False)


def _choose_models(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    if value is not None:
        return value
    if "://" in (chosen := os.environ.get("LECTERN_MODELS", "")):
        raise click.BadParameter(
            f"LECTERN_MODELS is the address {chosen}; name a folder with --models", param_hint="--models"
        )
    return chosen_models()


models_option = click.option(
    "--models",
    type=folder_type,
    callback=_choose_models,
    show_default="LECTERN_MODELS, else the checkout's",
    help="Folder of all models.",
)
runs_option = click.option(
    "--runs", type=folder_type, default=DEFAULT_RUNS, show_default=True, help="Folder of all runs."
)
version_option = click.option(
    "--version", type=click.IntRange(min=1), help="Version of the model; the default one if not given."
)
data_option = click.option(
    "--data", type=folder_type, help="Folder of your own images, if the network was trained on them."
)
own_recipe_option = click.option(
    "--recipe",
    "own_recipe",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Python file with a recipe of your own.",
)
yes_option = click.option("--yes", is_flag=True, help="Answer the question with yes.")


def find_recipe(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check the name of a recipe; replace the name of a data set by that of its default recipe."""
    if value is None or value in recipe_names():
        return value
    silence_libraries()
    from training.datasets import DATASETS

    trained = [name for name, entry in DATASETS.items() if entry.load]
    if value in trained:
        return default_recipe(value).name
    raise RecipeError(unknown_recipe(value, also=trained))


def choose_recipe(name: str | None, file: Path | None) -> str | None:
    """Return the name of the recipe that is named, or whose file is named; None if neither is.

    Keras has to be loaded before.
    """
    if file is None:
        return name
    if name is not None:
        raise click.UsageError(f"--recipe is for a file in place of {name}; name one of them")
    return load_recipe_file(file).name


def require_recipe(name: str | None, file: Path | None) -> str:
    """Return what :func:`choose_recipe` returns; naming no recipe is an error."""
    chosen = choose_recipe(name, file)
    if chosen is None:
        raise click.UsageError("name a recipe, or a file with --recipe")
    return chosen


def name_run(recipe: str | None, data: Path | None) -> str:
    """Return the name of a run that the command line does not name."""
    parts = [recipe] if recipe else []
    return "-".join(parts + ([data.resolve().name] if data else []))


def table_console() -> Console:
    """Return a console for tables; outside of a terminal, the rows are not wrapped."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=_WIDTH)


def ask(question: str) -> bool:
    """Ask a question with the answers yes and no; without a terminal the answer is no."""
    return sys.stdin.isatty() and click.confirm(question, err=True)


@contextmanager
def reports_memory() -> Iterator[None]:
    """Report in one line that a network needs more memory than there is.

    Raises:
        TrainingError: It does.
    """
    try:
        yield
    except Exception as error:
        if type(error).__name__ not in _OUT_OF_MEMORY:
            raise
        raise TrainingError(
            "the network or a batch needs more memory than there is; choose a smaller --width or --batch-size"
        ) from error
