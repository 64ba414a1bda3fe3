"""Owns the commands ``data``, ``train``, ``evaluate`` and ``export``; what they do is done elsewhere."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training.recipes import DEFAULTS
from training.recipes import NAMES as RECIPES

_MODELS = Path("models")
_RUNS = Path("runs")
_folder = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("names", nargs=-1)
def data(names: tuple[str, ...]) -> None:
    """List the data sets, or fetch those that are named.

    They are kept in LECTERN_DATA, else in ~/.cache/lectern/data.

    Example: lectern data mnist imdb
    """
    _quiet()
    from training.datasets.pendigits import load_pendigits
    from training.datasets.registry import list_datasets, load_dataset
    from training.reporting.progress import download_bar

    console = Console()
    for name in names:
        with download_bar(console) as progress:
            if name == "pendigits":
                load_pendigits(progress=progress)
                continue
            dataset = load_dataset(name, progress=progress)
        for skipped in dataset.skipped:
            console.print(f"{name}: left out {skipped}", highlight=False)
    for entry in list_datasets():
        size = (
            f"{entry.bytes / 1e6:.0f} MB"
            if entry.bytes is not None
            else f"not here; lectern data {entry.name}"
        )
        console.print(f"[bold]{entry.name}[/bold]  {size}", highlight=False)
        for title, text in (
            ("train + validation + test", entry.splits),
            ("source", entry.source),
            ("licence", entry.license),
            ("file", ", ".join(map(str, entry.files))),
        ):
            console.print(f"  {title}: {text}", highlight=False, soft_wrap=True)


def _toolbox(command: Callable[..., None]) -> Callable[..., None]:
    """Put the options of the lecture's toolbox on a command."""
    options = [
        click.option("--epochs", type=int, help="Passes over the training split."),
        click.option("--batch-size", type=int, help="Examples in each step of the optimizer."),
        click.option("--learning-rate", type=float, help="Size of the steps, at its highest."),
        click.option(
            "--l1",
            type=float,
            help="Weight of the sum of all kernels' magnitudes in the loss: sparse kernels.",
        ),
        click.option(
            "--l2", type=float, help="Weight of the sum of all kernels' squares in the loss: small kernels."
        ),
        click.option(
            "--dropout", type=float, help="Share of hidden values that are set to zero at random in training."
        ),
        click.option(
            "--batch-norm", is_flag=True, default=None, help="Normalise every hidden layer over the batch."
        ),
        click.option(
            "--smaller",
            type=float,
            help="Factor on units and filters, 0.5 for half as many: less to overfit.",
        ),
        click.option(
            "--augment",
            help="Change pictures at random, a list out of shift,rotation,flip,zoom,shear,contrast, or none.",
        ),
        click.option(
            "--scaling",
            type=click.Choice(["unit", "standard", "none"]),
            help="Pixels to 0..1, to mean 0 and deviation 1 (standard score), or left at 0..255.",
        ),
        click.option(
            "--early-stopping", type=int, help="Stop after so many epochs without gain; keep the best epoch."
        ),
        click.option("--seed", type=int, help="Of weights, order, dropout and augmentation."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("recipe", type=click.Choice([*RECIPES, *DEFAULTS]), required=False)
@click.option(
    "--extra",
    type=_folder,
    help="Train on FOLDER/<label>/<file> as well, such as the misread drawings that the desktop app saved.",
)
@click.option(
    "--data", "own", type=_folder, help="Train on your own pictures, FOLDER/<class>/<file>; then export."
)
@click.option("--name", help="Name of the model made from --data; else the folder's.")
@_toolbox
@click.option(
    "--folds", type=int, help="K-fold validation: train K times, print mean and spread, keep no network."
)
@click.option("--start", help="Name of a run of the same network: begin with its weights.")
@click.option("--resume", is_flag=True, help="Go on after the last finished epoch of an interrupted run.")
@click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard into the run's folder.")
@click.option(
    "--runs", type=_folder, default=_RUNS, show_default=True, help="Folder for checkpoints and results."
)
@click.option("--run", "run_name", help="Name of this run's folder; else the recipe's.")
@click.option(
    "--models", type=_folder, default=_MODELS, show_default=True, help="Where --data puts its model."
)
def train(
    recipe: str | None,
    extra: Path | None,
    own: Path | None,
    name: str | None,
    folds: int | None,
    start: str | None,
    resume: bool,
    tensorboard: bool,
    runs: Path,
    run_name: str | None,
    models: Path,
    **changes: Any,
) -> None:
    """Train a network by its RECIPE, or on pictures of your own.

    A model's name stands for the recipe of its default version, or for the one which that goes on from, as
    mnist for mnist-deep. Every epoch
    leaves a checkpoint; after a kill, --resume goes on as if nothing had happened. A recipe's network is put
    among the models by `lectern export RECIPE`; one trained on --data is put there at once.

    Examples: lectern train mnist-convnet --epochs 5

    lectern train mnist --extra misread

    lectern train mnist-hands --start mnist-deep

    lectern train --data my_folder
    """
    recipe = DEFAULTS.get(recipe or "", recipe)
    if extra and own:
        raise click.UsageError("--extra goes with a recipe's own data; --data takes its place")
    if start and folds is not None:
        raise click.UsageError(
            "--folds trains from scratch, on parts that the earlier run has seen; leave out --start"
        )
    if recipe is None and own is None:
        raise click.UsageError(f"name a recipe ({', '.join(RECIPES)}), or a folder with --data")
    _quiet()
    from training.workflows import Job, run_folds, run_training

    job = Job(
        recipe=recipe or "cats-dogs-features",
        own=own,
        extra=extra,
        name=name,
        options=_options(changes),
        folder=runs / (run_name or _run_name(recipe, own)),
        start=runs / start if start else None,
        resume=resume,
        tensorboard=tensorboard,
        models=models,
    )
    console = Console()
    if folds is not None:
        run_folds(job, folds=folds, console=console)
    else:
        run_training(job, console=console)


@click.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Version of the model; the highest if not given.")
@click.option("--models", type=_folder, default=_MODELS, show_default=True, help="Folder of all models.")
@click.option(
    "--data", "own", type=_folder, help="The pictures, if the model was trained on a folder of your own."
)
@click.option("--latency", is_flag=True, help="Also time one input, beside version 1 and the 8-bit form.")
@click.option("--pen-digits", is_flag=True, help="Also predict 7,494 digits that people drew with a pen.")
@click.option(
    "--out-of-distribution",
    is_flag=True,
    help="Also predict pictures without a digit with a model of digits.",
)
@click.option(
    "--robustness", is_flag=True, help="Also predict corrupted pictures: shifted, rotated, blurred …"
)
@click.option("--faithfulness", is_flag=True, help="Also run the deletion test of the heat maps.")
@click.option("--all", "everything", is_flag=True, help="All of these that are for the model's kind.")
@click.option(
    "--recalibrate",
    is_flag=True,
    help="First fit confidence and threshold of doubt anew, on validation, and write them into the model.",
)
@click.option("--record", "keep", is_flag=True, help="Write what was measured into the model's card.")
def evaluate(
    name: str,
    version: int | None,
    models: Path,
    own: Path | None,
    everything: bool,
    recalibrate: bool,
    keep: bool,
    **asked: bool,
) -> None:
    """Measure a model's ONNX file on its whole test set and compare with its card.

    The status is 1 if a figure differs, unless it is recorded.

    Examples: lectern evaluate mnist

    lectern evaluate mnist --pen-digits

    lectern evaluate cifar10 --latency

    lectern evaluate cifar10 --all --recalibrate --record
    """
    _quiet()
    from service.inference.catalog import Catalog
    from training.evaluation.evaluate import Measurements
    from training.evaluation.evaluate import evaluate as measure
    from training.reporting.printout import print_evaluation

    if recalibrate:
        _recalibrate(name, version, models, own)
    result = measure(
        name,
        version=version,
        models=models,
        data=own,
        measurements=(
            Measurements.all_for(Catalog(models).card(name, version)) if everything else Measurements(**asked)
        ),
        announce=lambda row: click.echo(f"{row.name}: {row.accuracy:.4f} (version 1: {row.baseline:.4f})"),
    )
    print_evaluation(result, Console())
    if keep:
        from training.evaluation.evaluate import record

        record(result, models=models)
    elif not result.same:
        sys.exit(1)


@click.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Version of the model; the highest if not given.")
@click.option("--models", type=_folder, default=_MODELS, show_default=True, help="Folder of all models.")
@click.option(
    "--data", "own", type=_folder, help="The pictures, if the model was trained on a folder of your own."
)
def quantize(name: str, version: int | None, models: Path, own: Path | None) -> None:
    """Make the 8-bit form of a picture model, model.int8.onnx, which LECTERN_PRECISION chooses.

    How is chosen on the validation split. If it costs more than 0.3 points of accuracy on the test split,
    nothing is written.

    Example: lectern quantize cifar10
    """
    _quiet()
    from training.export.quantization import Trial, quantize_model

    def announce(trial: Trial) -> None:
        spared = ", first convolution in floats" if trial.float_nodes else ""
        metrics = trial.metrics
        click.echo(
            f"{trial.method}{spared}: accuracy {metrics.accuracy:.4f}, log-loss {metrics.log_loss:.4f} "
            "on validation"
        )

    card = quantize_model(name, version=version, models=models, data=own, announce=announce)
    form = card.quantized
    assert form is not None, "a model is quantised, or an error is raised"
    click.echo(
        f"{models / card.name / str(card.version)}: accuracy {form.metrics.accuracy:.4f} on "
        f"{form.metrics.count} test examples (float32: {card.metrics.accuracy:.4f}), "
        f"{form.bytes / 1e6:.2f} MB ({card.onnx.bytes / 1e6:.2f} MB), {form.ratio:.2f} of float32's time"
    )


@click.command()
@click.argument("recipe", type=click.Choice(RECIPES))
@click.option("--runs", type=_folder, default=_RUNS, show_default=True, help="Folder of the runs.")
@click.option(
    "--run",
    "run_names",
    multiple=True,
    help="Name of the run's folder; else the recipe's. Given again: the mean of such runs' logits.",
)
@click.option("--weights", is_flag=True, help="Take the mean of the runs' weights, not of their logits.")
@click.option("--models", type=_folder, default=_MODELS, show_default=True, help="Folder of all models.")
@click.option("--name", help="Name of the model; else that of its data set.")
@click.option(
    "--version", type=click.IntRange(min=1), help="Version to make or replace; else the next free one."
)
@click.option("--data", "own", type=_folder, help="The pictures, if it was trained on a folder of your own.")
@click.option("--compare", help="Name of another run whose test accuracy the card is to tell as well.")
@click.option("--record", is_flag=True, help="Also note the figures in training/results.json.")
def export(
    recipe: str,
    runs: Path,
    run_names: tuple[str, ...],
    weights: bool,
    models: Path,
    name: str | None,
    version: int | None,
    own: Path | None,
    compare: str | None,
    record: bool,
) -> None:
    """Export a trained network to ONNX and put it among the models.

    It is checked against Keras on the whole test set; if a label changes, nothing is written.

    Examples: lectern export mnist-convnet --version 1

    lectern export fashion-deep --run fashion-1 --run fashion-2

    lectern export mnist-hands --run mnist-hands --run mnist-deep --weights
    """
    _quiet()
    from training.reporting.results import record_result
    from training.workflows import export_run

    card = export_run(
        recipe,
        folders=[runs / run_name for run_name in run_names or (_run_name(recipe, own),)],
        models=models,
        name=name,
        version=version,
        own=own,
        compare=runs / compare if compare else None,
        weights=weights,
    )
    if record:
        record_result(card)
    click.echo(
        f"{models / card.name / str(card.version)}: accuracy {card.metrics.accuracy:.4f} on "
        f"{card.metrics.count} test examples, largest difference from Keras {card.max_keras_difference:.1g}"
    )


def _recalibrate(name: str, version: int | None, models: Path, own: Path | None) -> None:
    """Calibrate a version anew, and say what became of it."""
    from training.export.recalibration import recalibrate

    card = recalibrate(name, version=version, models=models, data=own)
    calibration, selective = card.calibration, card.selective_prediction
    assert calibration is not None, "recalibrating measures it"
    assert selective is not None, "recalibrating measures it"
    click.echo(
        f"{card.name} {card.version}: {calibration.method}, {calibration.temperature:g} in all; unsure below "
        f"{card.unsure_below:g}, above which {selective.validation.accuracy:.2%} of validation are right"
    )


def _options(changes: dict[str, Any]) -> Any:
    """Turn the command line's words into options; a flag or value that was not given changes nothing."""
    from training.recipes.options import Options
    from training.settings import parse_augmentation

    words = changes.pop("augment")
    smaller = changes.pop("smaller")
    if words is not None:
        names = [word.strip() for word in words.split(",") if word.strip()]
        changes["augmentation"] = parse_augmentation([] if names == ["none"] else names)
    return Options(width=smaller, **changes)


def _run_name(recipe: str | None, own: Path | None) -> str:
    parts = [recipe] if recipe else []
    return "-".join(parts + ([own.resolve().name] if own else []))


def _quiet() -> None:
    """Keep the libraries' chatter out of the output; has to be called before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
