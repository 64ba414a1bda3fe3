"""Defines the commands ``evaluate``, ``quantize`` and ``export``."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from service.inference.program import command
from training.backend import load_keras
from training.cli.json_events import json_events, progress_option
from training.cli.shared import (
    RECIPES_EPILOG,
    choose_recipe,
    data_option,
    find_recipe,
    models_option,
    name_run,
    own_recipe_option,
    runs_option,
    version_option,
)


@click.command()
@click.argument("name")
@version_option
@models_option
@data_option
@own_recipe_option
@click.option(
    "--latency", is_flag=True, help="Also time one prediction, beside version 1 and the 8-bit form."
)
@click.option("--pen-digits", is_flag=True, help="Also classify 7,494 digits that people drew with a pen.")
@click.option("--pages", is_flag=True, help="Also classify digits on photos and scans of 16 kinds of page.")
@click.option("--numbers", is_flag=True, help="Also read numbers of 2 to 6 digits.")
@click.option(
    "--long-photos", is_flag=True, help="Also classify panoramas and tall photos with the subject anywhere."
)
@click.option("--drawings", is_flag=True, help="Also classify straight strokes, letters and shapes.")
@click.option("--out-of-distribution", is_flag=True, help="Also classify images that show no digit.")
@click.option("--robustness", is_flag=True, help="Also shift, rotate, blur and otherwise corrupt the images.")
@click.option("--faithfulness", is_flag=True, help="Also run the deletion test of the heat maps.")
@click.option("--all", "everything", is_flag=True, help="All of these that apply to the model.")
@click.option(
    "--recalibrate",
    is_flag=True,
    help="First fit calibration and threshold on the validation split again, and write them into the model.",
)
@click.option(
    "--detector",
    is_flag=True,
    help="With --recalibrate: also fit the detector of pictures that show no garment.",
)
@click.option("--record", "keep", is_flag=True, help="Write the results into the model's card.")
def evaluate(
    name: str,
    version: int | None,
    models: Path,
    data: Path | None,
    own_recipe: Path | None,
    everything: bool,
    recalibrate: bool,
    detector: bool,
    keep: bool,
    **chosen: bool,
) -> None:
    """Measure a model's ONNX file on its test set and compare the results with its card.

    The exit status is 1 if a result differs from the card and is not recorded.

    \b
    Examples:
      lectern evaluate mnist
      lectern evaluate mnist --pen-digits
      lectern evaluate cifar10 --all --recalibrate --record
    """
    if detector and not recalibrate:
        raise click.UsageError("--detector changes the calibration, too; give --recalibrate as well")
    load_keras(converts=True)
    choose_recipe(None, own_recipe)
    from service.inference.catalog import Catalog
    from training.evaluation.evaluate import evaluate as measure
    from training.evaluation.evaluate import record, supported_measurements
    from training.reporting.printout import print_evaluation

    if recalibrate:
        _recalibrate(name, version, models, data, detector=detector)
    result = measure(
        name,
        version=version,
        models=models,
        data=data,
        measurements=(
            supported_measurements(Catalog(models).card(name, version))
            if everything
            else [measurement for measurement, wanted in chosen.items() if wanted]
        ),
        announce=lambda row: click.echo(f"{row.name}: {row.accuracy:.4f} (version 1: {row.baseline:.4f})"),
    )
    print_evaluation(result, Console())
    if keep:
        record(result, models=models)
    elif not result.same:
        sys.exit(1)


@click.command()
@click.argument("name")
@version_option
@models_option
@data_option
@own_recipe_option
def quantize(
    name: str, version: int | None, models: Path, data: Path | None, own_recipe: Path | None
) -> None:
    """Make the 8-bit form of an image model, model.int8.onnx, which LECTERN_PRECISION selects.

    The validation split decides between the calibration methods. If the test accuracy drops by more than
    0.3 points, nothing is written.

    Example: lectern quantize cifar10
    """
    load_keras(converts=True)
    choose_recipe(None, own_recipe)
    from training.export.quantization import Trial, quantize_model

    def announce(trial: Trial) -> None:
        kept = ", first convolutions in float32" if trial.float_nodes else ""
        metrics = trial.metrics
        click.echo(
            f"{trial.method}{kept}: accuracy {metrics.accuracy:.4f}, log-loss {metrics.log_loss:.4f} "
            "on validation"
        )

    card = quantize_model(name, version=version, models=models, data=data, announce=announce)
    quantized = card.quantized
    assert quantized is not None, "quantize_model raises an error otherwise"
    assert card.metrics is not None, "quantize_model refuses a regression"
    from training.workflows.hints import shown

    click.echo(
        f"{shown(models / card.name / str(card.version))}: accuracy {quantized.metrics.accuracy:.4f} on "
        f"{quantized.metrics.count} test examples (float32: {card.metrics.accuracy:.4f}), "
        f"{quantized.bytes / 1e6:.2f} MB ({card.onnx.bytes / 1e6:.2f} MB), "
        f"{quantized.ratio:.2f} of float32's time"
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
    type=click.IntRange(min=1),
    help="Version to create; the next free one if not given. Versions are never overwritten.",
)
@data_option
@click.option("--default", is_flag=True, help="Make the new version the default one.")
@click.option(
    "--force",
    is_flag=True,
    help="Export even if the labels are not those of the model, and let --default choose a worse version.",
)
@click.option("--compare", help="Name of another run whose test accuracy goes on the card as well.")
@click.option("--record", is_flag=True, help="Also write the results into training/reporting/results.json.")
@progress_option
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
    chosen = choose_recipe(recipe, own_recipe)
    if chosen is None:
        raise click.UsageError("name a recipe, or a file with --recipe")
    from training.reporting.printout import card_result, describe_result
    from training.reporting.results import record_result
    from training.workflows.export_job import ExportJob, run_export
    from training.workflows.hints import shown
    from training.workflows.training_job import exported_event

    job = ExportJob(
        recipe=chosen,
        runs=[runs / run_name for run_name in run_names or (name_run(chosen, data),)],
        data=data,
        compare=runs / compare if compare else None,
        **options,
    )
    with json_events(progress) as events:
        exported = run_export(job)
        card = exported.card
        if record:
            record_result(card)
        if events:
            events.write(exported_event(card, job.models))
    quiet = progress == "json"
    click.echo(
        f"{shown(job.models / card.name / str(card.version))}: {describe_result(card_result(card))}, largest "
        f"difference from Keras {card.max_keras_difference:.1g}",
        err=quiet,
    )
    if exported.hint:
        click.echo(exported.hint, err=quiet)


def _recalibrate(name: str, version: int | None, models: Path, data: Path | None, *, detector: bool) -> None:
    """Recalibrate a version and print the result."""
    from service.inference.catalog import Catalog
    from training.export.confidence import recalibrate
    from training.workflows.hints import model_options

    card = recalibrate(name, version=version, models=models, data=data, detector=detector)
    calibration, selective = card.calibration, card.selective_prediction
    assert calibration is not None, "recalibrate measures it"
    assert selective is not None, "recalibrate measures it"
    click.echo(
        f"{card.name} {card.version}: {calibration.method}, temperature {calibration.temperature:g}; unsure "
        f"below {card.unsure_below:g}; validation accuracy above that: {selective.validation.accuracy:.2%}"
    )
    catalog = Catalog(models)
    for later in catalog.versions(card.name) if card.version == 1 else ():
        other = catalog.card(card.name, later)
        compared = {"--robustness": other.robustness, "--latency": other.latency}
        options = [option for option, figures in compared.items() if figures]
        if later > 1 and options:
            words = (card.name, "--version", later, *options, "--record", *model_options(models))
            click.echo(
                f"{card.name} {later}: its card compares it with the former version 1; measure that again: "
                f"{command('evaluate', *words)}"
            )
