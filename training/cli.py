"""Defines the commands ``data``, ``train``, ``evaluate``, ``quantize`` and ``export``.

The functions import what they need when they run, so that ``--help`` does not load Keras.
"""

import logging
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training.hyperparameters import OPTIONS
from training.options import hyperparameter_options
from training.recipes import default_recipe, recipe_names, unknown_recipe

_OWN_DATA_RECIPE = "cats-dogs-features"
_RECIPES_EPILOG = "\b\n" + textwrap.fill(
    f"Recipes: {', '.join(recipe_names())}.", width=76, break_on_hyphens=False
)
_folder = click.Path(path_type=Path, file_okay=False)
_models_option = click.option(
    "--models", type=_folder, default=Path("models"), show_default=True, help="Folder of all models."
)
_runs_option = click.option(
    "--runs", type=_folder, default=Path("runs"), show_default=True, help="Folder of all runs."
)
_version_option = click.option(
    "--version", type=click.IntRange(min=1), help="Version of the model; the highest if not given."
)
_data_option = click.option(
    "--data", type=_folder, help="Folder of your own images, if the network was trained on them."
)


def _find_recipe(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check the name of a recipe; replace the name of a data set by that of its default recipe."""
    if value is None or value in recipe_names():
        return value
    _silence_libraries()
    from training.datasets import DATASETS

    if value in DATASETS:
        return default_recipe(value).name
    raise click.BadParameter(unknown_recipe(value), ctx, param)


@click.command()
@click.argument("names", nargs=-1)
def data(names: tuple[str, ...]) -> None:
    """List the data sets, or download the named ones.

    The files are stored in LECTERN_DATA, by default ~/.cache/lectern/data.

    Example: lectern data mnist imdb
    """
    _silence_libraries()
    from training.datasets import DATASETS, find_dataset
    from training.reporting.progress import download_bar

    console = Console(highlight=False, soft_wrap=True)
    for name in names:
        with download_bar(console) as progress:
            find_dataset(name).ensure_cached(progress)
    for entry in DATASETS.values():
        size = f"missing; lectern data {entry.name}" if entry.bytes is None else f"{entry.bytes / 1e6:.0f} MB"
        console.print(f"[bold]{entry.name}[/bold]  {size}")
        for title, text in (
            ("train + validation + test" if entry.load else "evaluation only", entry.splits),
            ("source", entry.source),
            ("licence", entry.license),
            ("stored in", ", ".join(map(str, entry.paths))),
        ):
            console.print(f"  {title}: {text}")


@click.command(epilog=_RECIPES_EPILOG)
@click.argument("recipe", callback=_find_recipe, required=False)
@click.option(
    "--extra",
    type=_folder,
    help="Folder of further training images, FOLDER/<label>/<file>, such as misread drawings.",
)
@click.option("--data", type=_folder, help="Train on your own images, FOLDER/<class>/<file>, then export.")
@click.option("--name", help="Name of the model made from --data; the folder's if not given.")
@hyperparameter_options
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="K-fold cross-validation: train K times, print mean and deviation, export nothing.",
)
@click.option("--init-from", help="Name of a run of the same network that provides the initial weights.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run after its last finished epoch.")
@click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard into the folder of the run.")
@_runs_option
@click.option("--run", "run_name", help="Name of this run's folder; the recipe's if not given.")
@_models_option
def train(
    recipe: str | None,
    data: Path | None,
    folds: int | None,
    init_from: str | None,
    runs: Path,
    run_name: str | None,
    **options: Any,
) -> None:
    """Train the network of a RECIPE, or a classifier of your own images.

    The name of a data set stands for its default recipe, for example mnist for mnist-deep. A
    checkpoint is stored after every epoch; --resume continues an interrupted run with the same result.
    `lectern export RECIPE` exports the network; a network trained on --data is exported at once.

    \b
    Examples:
      lectern train mnist-convnet --epochs 5
      lectern train mnist --extra misread
      lectern train mnist-strokes --init-from mnist-deep
      lectern train --data my_folder
    """
    if options["extra"] and data:
        raise click.UsageError("--extra adds to the recipe's data set, --data replaces it; use one of them")
    if init_from and folds is not None:
        raise click.UsageError(
            "--init-from names a run that has seen the examples that --folds holds out; use one of them"
        )
    if recipe is None and data is None:
        raise click.UsageError(f"name a recipe ({', '.join(recipe_names())}), or a folder with --data")
    if options["name"] and data is None:
        raise click.UsageError("--name is for --data; `lectern export --name` names the model of a recipe")
    _silence_libraries()
    from training.workflows import TrainingJob, run_folds, run_training

    console = Console(highlight=False, markup=False, soft_wrap=True)
    job = TrainingJob(
        recipe=recipe or _OWN_DATA_RECIPE,
        folder=runs / (run_name or _run_name(recipe, data)),
        data=data,
        init_from=runs / init_from if init_from else None,
        overrides={name: options.pop(name) for name in OPTIONS},
        **options,
    )
    if folds is not None:
        run_folds(job, folds=folds, console=console)
    else:
        run_training(job, console=console)


@click.command()
@click.argument("name")
@_version_option
@_models_option
@_data_option
@click.option(
    "--latency", is_flag=True, help="Also time one prediction, beside version 1 and the 8-bit form."
)
@click.option("--pen-digits", is_flag=True, help="Also classify 7,494 digits that people drew with a pen.")
@click.option("--out-of-distribution", is_flag=True, help="Also classify images that show no digit.")
@click.option("--robustness", is_flag=True, help="Also shift, rotate, blur and otherwise corrupt the images.")
@click.option("--faithfulness", is_flag=True, help="Also run the deletion test of the heat maps.")
@click.option("--all", "everything", is_flag=True, help="All of these that apply to the model.")
@click.option(
    "--recalibrate",
    is_flag=True,
    help="First fit calibration and threshold on the validation split again, and write them into the model.",
)
@click.option("--record", "keep", is_flag=True, help="Write the results into the model's card.")
def evaluate(
    name: str,
    version: int | None,
    models: Path,
    data: Path | None,
    everything: bool,
    recalibrate: bool,
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
    _silence_libraries()
    from service.inference.catalog import Catalog
    from training.evaluation.evaluate import evaluate as measure
    from training.evaluation.evaluate import record, supported_measurements
    from training.reporting.printout import print_evaluation

    if recalibrate:
        _recalibrate(name, version, models, data)
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
@_version_option
@_models_option
@_data_option
def quantize(name: str, version: int | None, models: Path, data: Path | None) -> None:
    """Make the 8-bit form of an image model, model.int8.onnx, which LECTERN_PRECISION selects.

    The validation split decides between the calibration methods. If the test accuracy drops by more than
    0.3 points, nothing is written.

    Example: lectern quantize cifar10
    """
    _silence_libraries()
    from training.export.quantization import Trial, quantize_model

    def announce(trial: Trial) -> None:
        kept = ", first convolution in float32" if trial.float_nodes else ""
        metrics = trial.metrics
        click.echo(
            f"{trial.method}{kept}: accuracy {metrics.accuracy:.4f}, log-loss {metrics.log_loss:.4f} "
            "on validation"
        )

    card = quantize_model(name, version=version, models=models, data=data, announce=announce)
    quantized = card.quantized
    assert quantized is not None, "quantize_model raises an error otherwise"
    click.echo(
        f"{models / card.name / str(card.version)}: accuracy {quantized.metrics.accuracy:.4f} on "
        f"{quantized.metrics.count} test examples (float32: {card.metrics.accuracy:.4f}), "
        f"{quantized.bytes / 1e6:.2f} MB ({card.onnx.bytes / 1e6:.2f} MB), "
        f"{quantized.ratio:.2f} of float32's time"
    )


@click.command(epilog=_RECIPES_EPILOG)
@click.argument("recipe", callback=_find_recipe)
@_runs_option
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
@_models_option
@click.option("--name", help="Name of the model; that of its data set if not given.")
@click.option(
    "--version",
    type=click.IntRange(min=1),
    help="Version to create or replace; the next free one if not given.",
)
@_data_option
@click.option("--compare", help="Name of another run whose test accuracy goes on the card as well.")
@click.option("--record", is_flag=True, help="Also write the results into training/reporting/results.json.")
def export(
    recipe: str,
    runs: Path,
    run_names: tuple[str, ...],
    data: Path | None,
    compare: str | None,
    record: bool,
    **options: Any,
) -> None:
    """Export a trained network to ONNX as a version of a model.

    The ONNX file is compared with Keras on the whole test set. If a label changes, nothing is written.

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
    _silence_libraries()
    from training.reporting.results import record_result
    from training.workflows import ExportJob, run_export

    job = ExportJob(
        recipe=recipe,
        runs=[runs / run_name for run_name in run_names or (_run_name(recipe, data),)],
        data=data,
        compare=runs / compare if compare else None,
        **options,
    )
    card = run_export(job)
    if record:
        record_result(card)
    click.echo(
        f"{job.models / card.name / str(card.version)}: accuracy {card.metrics.accuracy:.4f} on "
        f"{card.metrics.count} test examples, largest difference from Keras {card.max_keras_difference:.1g}"
    )


def _recalibrate(name: str, version: int | None, models: Path, data: Path | None) -> None:
    """Recalibrate a version and print the result."""
    from service.inference.catalog import Catalog
    from training.export.confidence import recalibrate

    card = recalibrate(name, version=version, models=models, data=data)
    calibration, selective = card.calibration, card.selective_prediction
    assert calibration is not None, "recalibrate measures it"
    assert selective is not None, "recalibrate measures it"
    click.echo(
        f"{card.name} {card.version}: {calibration.method}, temperature {calibration.temperature:g}; unsure "
        f"below {card.unsure_below:g}; validation accuracy above that: {selective.validation.accuracy:.2%}"
    )
    catalog = Catalog(models)
    folder = "" if models == Path("models") else f" --models {models}"
    for later in catalog.versions(card.name) if card.version == 1 else ():
        other = catalog.card(card.name, later)
        compared = {"--robustness": other.robustness, "--latency": other.latency}
        options = " ".join(option for option, figures in compared.items() if figures)
        if later > 1 and options:
            click.echo(
                f"{card.name} {later}: its card compares it with the former version 1; measure that again: "
                f"lectern evaluate {card.name} --version {later} {options} --record{folder}"
            )


def _run_name(recipe: str | None, data: Path | None) -> str:
    parts = [recipe] if recipe else []
    return "-".join(parts + ([data.resolve().name] if data else []))


def _silence_libraries() -> None:
    """Switch off the messages of TensorFlow and tf2onnx; must run before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
