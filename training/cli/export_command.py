"""Defines the command ``export``."""

from pathlib import Path
from typing import Any

import click

from service.inference.repository.default_version import LARGEST_VERSION
from training.backend import load_keras
from training.cli.json_events import event_writer, progress_option, with_error_events
from training.cli.shared import (
    RECIPES_EPILOG,
    data_option,
    find_recipe,
    models_option,
    name_run,
    own_recipe_option,
    require_recipe,
    runs_option,
)


@click.command(epilog=RECIPES_EPILOG)
@click.argument("recipe", callback=find_recipe, required=False)
@own_recipe_option
@runs_option
@click.option(
    "--run",
    "run_names",
    multiple=True,
    help="Name of the run's folder; the recipe's if not given. Several runs are exported as one network.",
)
@click.option(
    "--average",
    type=click.Choice(["logits", "weights"]),
    default="logits",
    show_default=True,
    help="What is averaged over several runs.",
)
@models_option
@click.option("--name", help="Name of the model; that of its data set if not given.")
@click.option(
    "--version",
    type=click.IntRange(min=1, max=LARGEST_VERSION),
    help="Version to create; the next free one if not given. Versions are never overwritten.",
)
@data_option
@click.option("--default", is_flag=True, help="Make the new version the default one.")
@click.option(
    "--force",
    is_flag=True,
    help="Export even if the labels differ from the model's, and let --default choose a worse version.",
)
@click.option("--compare", help="Name of another run; the card gets its test accuracy too.")
@click.option("--record", is_flag=True, help="Also write the results into training/reporting/results.json.")
@progress_option
@with_error_events
def export(
    recipe: str | None,
    own_recipe: Path | None,
    runs: Path,
    run_names: tuple[str, ...],
    data: Path | None,
    compare: str | None,
    record: bool,
    progress: str,
    **options: Any,
) -> None:
    """Export a trained network to ONNX as a version of a model.

    The ONNX file is compared with Keras on the whole test set. If a label changes, nothing is written.
    The model's default version stays the default one, unless --default is given.

    \b
    Examples:
      lectern export mnist-convnet
      lectern export fashion-deep --run fashion-deep --run fashion-residual
      lectern export mnist-strokes --run one --run two --average weights
    """
    if record and (data or len(run_names) > 1):
        raise click.UsageError(
            "--record is for a single run on the recipe's own data set; leave it out, or export such a run"
        )
    if record and own_recipe:
        raise click.UsageError("--record is for the recipes of Lectern; leave it out")
    load_keras(converts=True)
    chosen = require_recipe(recipe, own_recipe)
    from training.fit.run_folder import run_folder
    from training.reporting.printout import card_result, describe_result
    from training.reporting.results import record_result
    from training.workflows.export_job import ExportJob, run_export
    from training.workflows.hints import shown
    from training.workflows.training_run import exported_event

    job = ExportJob(
        recipe=chosen,
        runs=[run_folder(runs, run_name) for run_name in run_names or (name_run(chosen, data),)],
        data=data,
        compare=run_folder(runs, compare) if compare else None,
        **options,
    )
    exported = run_export(job)
    card = exported.card
    if record:
        record_result(card)
    if events := event_writer(progress):
        events.write(exported_event(card, job.models))
    quiet = progress == "json"
    click.echo(
        f"{shown(job.models / card.name / str(card.version))}: {describe_result(card_result(card))}. Largest "
        f"difference from Keras {card.max_keras_difference:.1g}",
        err=quiet,
    )
    if exported.hint:
        click.echo(exported.hint, err=quiet)
