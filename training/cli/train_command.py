"""Defines the command ``train``."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from service.inference.program import command
from training.backend import load_keras
from training.cli.json_events import event_writer, progress_option, standard_controls, with_error_events
from training.cli.recipe_help import TYPED, RecipeCommand
from training.cli.shared import (
    RECIPES_EPILOG,
    ask,
    choose_recipe,
    find_recipe,
    folder_type,
    models_option,
    name_run,
    own_recipe_option,
    reports_memory,
    runs_option,
)
from training.hyperparameters import OPTIONS
from training.options import hyperparameter_options
from training.recipes import recipe_names

_OWN_DATA_RECIPE = "cats-dogs-features"


@click.command(epilog=RECIPES_EPILOG, cls=RecipeCommand)
@click.argument("recipe", callback=find_recipe, required=False)
@own_recipe_option
@click.option(
    "--extra",
    type=folder_type,
    help="Folder of further training images, FOLDER/<label>/<file>, such as misread drawings.",
)
@click.option(
    "--data", type=folder_type, help="Train on your own images, FOLDER/<class>/<file>, then export."
)
@click.option("--name", help="Name of the model made from --data; the folder's if not given.")
@hyperparameter_options
@click.option(
    "--lecture", is_flag=True, help="Begin with the settings of the lecture's run; other options change them."
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="K-fold cross-validation: train K times, print mean and deviation, export nothing.",
)
@click.option(
    "--examples",
    type=click.IntRange(min=20),
    help="Train on about this many examples of the data set, and validate on half as many.",
)
@click.option("--init-from", help="Name of a run of the same network that provides the initial weights.")
@click.option(
    "--resume",
    is_flag=True,
    help="Continue an interrupted run after its last finished epoch, with the options that it began with.",
)
@click.option("--yes", is_flag=True, help="Replace an earlier run of the same name without a question.")
@click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard into the folder of the run.")
@progress_option
@click.option(
    "--watch",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Picture or text that the network reads after each epoch, for --progress json.",
)
@runs_option
@click.option("--run", "run_name", help="Name of this run's folder; the recipe's if not given.")
@models_option
@with_error_events
def train(
    recipe: str | None,
    own_recipe: Path | None,
    data: Path | None,
    folds: int | None,
    init_from: str | None,
    runs: Path,
    run_name: str | None,
    yes: bool,
    progress: str,
    **options: Any,
) -> None:
    """Train the network of a RECIPE, or a classifier of your own images.

    RECIPE can also be the name of a data set, which means its default recipe: mnist is mnist-deep. A
    checkpoint is stored after every epoch; --resume continues an interrupted run with the same result.
    `lectern export RECIPE` exports the network; a network trained on --data is exported at once.
    With a recipe, --help shows that recipe's defaults.

    \b
    Examples:
      lectern train mnist-convnet --epochs 5
      lectern train mnist-convnet --lecture --optimizer adam
      lectern train mnist --extra misread
      lectern train mnist-strokes --init-from mnist-deep
      lectern train --data my_folder
      lectern train --recipe my_recipe.py
    """
    _check_options(click.get_current_context().params)
    load_keras(converts=data is not None and folds is None)
    from training.fit.run_folder import run_folder
    from training.workflows.training_job import TrainingJob
    from training.workflows.training_run import run_training

    named = ("--recipe", str(own_recipe)) if own_recipe else (recipe,) if recipe else ()
    recipe = choose_recipe(recipe, own_recipe)
    console = Console(highlight=False, markup=False, soft_wrap=True, stderr=progress == "json")
    default_run = name_run(recipe, data)
    context = click.get_current_context()
    job = TrainingJob(
        recipe=recipe or _OWN_DATA_RECIPE,
        words=(*named, *(["--data", str(data)] if data else [])),
        typed=context.meta[TYPED],
        runs=runs,
        folder=run_folder(runs, run_name or default_run),
        default_run=default_run,
        data=data,
        init_from=run_folder(runs, init_from) if init_from else None,
        folds=folds,
        overrides={name: options.pop(name) for name in OPTIONS},
        confirm=lambda question: yes or ask(question),
        **options,
    )
    with _exits_on_sigterm(), reports_memory():
        if events := event_writer(progress):
            job = replace(job, events=events, controls=standard_controls())
        run_training(job, console=console)


def _check_options(given: Mapping[str, Any]) -> None:
    """Refuse options that exclude each other, or that need another one."""
    data, folds, as_json = given["data"], given["folds"] is not None, given["progress"] == "json"
    if given["extra"] and data:
        raise click.UsageError("--extra adds to the recipe's data set, --data replaces it; use one of them")
    if given["init_from"] and folds:
        raise click.UsageError(
            "--init-from names a run that has seen the examples that --folds holds out; use one of them"
        )
    if not (given["recipe"] or given["own_recipe"] or data):
        raise click.UsageError(
            f"name a recipe ({', '.join(recipe_names())}), a file with --recipe, or a folder with --data"
        )
    if given["name"] and not (data or given["resume"]):
        export = command("export", "--name")
        raise click.UsageError(f"--name is for --data; `{export}` names the model of a recipe")
    if given["examples"] and data:
        raise click.UsageError("--examples shortens a recipe's data set, --data replaces it; use one of them")
    if given["watch"] and not as_json:
        raise click.UsageError("--watch needs --progress json")
    if folds and (as_json or given["examples"] or given["tensorboard"]):
        raise click.UsageError(
            "--folds goes neither with --progress json nor with --examples nor with --tensorboard"
        )
    if given["tensorboard"] and as_json:
        raise click.UsageError("--tensorboard and --progress json exclude each other; give one of them")


@contextmanager
def _exits_on_sigterm() -> Iterator[None]:
    """Raise SystemExit on SIGTERM, so that worker processes are ended too."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
