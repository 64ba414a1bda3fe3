"""Runs ``lectern train`` and ``lectern export`` from loading the data to the last line of output."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from service.inference.card import Card, card_document
from service.inference.preprocessing import Vocabulary
from training.datasets import Dataset
from training.errors import RecipeError, RunError
from training.export.exporter import export, measure_network
from training.export.model_card import Trained
from training.fit.inputs import make_folds, prepare_data
from training.fit.run import Run, load_run
from training.fit.train import train
from training.networks.ensemble import average_weights
from training.recipes import load_recipe
from training.recipes.recipe import Recipe
from training.reporting.progress import ConsoleReporter, TensorBoardReporter, download_bar

Average = Literal["logits", "weights"]

_VOCABULARY = "vocabulary.txt"
# A folder of the user's own images may be small; smaller batches then give an epoch enough steps.
_MIN_STEPS, _MIN_BATCH = 20, 8


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """The arguments of ``lectern train``: ``folder`` is the run's, ``overrides`` are hyperparameters."""

    recipe: str
    folder: Path
    models: Path
    data: Path | None
    extra: Path | None
    name: str | None
    overrides: Mapping[str, Any]
    init_from: Path | None
    resume: bool
    tensorboard: bool


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """The arguments of ``lectern export``; ``recipe`` is that of the first run."""

    recipe: str
    runs: Sequence[Path]
    models: Path
    name: str | None = None
    version: int | None = None
    data: Path | None = None
    compare: Path | None = None
    average: Average = "logits"


def run_training(job: TrainingJob, *, console: Console) -> None:
    """Train, print the result, and export a network that was trained on the user's own images."""
    recipe, dataset = _prepare(job, console)
    job.folder.mkdir(parents=True, exist_ok=True)
    if dataset.vocabulary:
        dataset.vocabulary.write(job.folder / _VOCABULARY)
    folder = job.folder / "tensorboard"
    reporter = TensorBoardReporter(console, folder=folder) if job.tensorboard else ConsoleReporter(console)
    with reporter:
        run = train(
            recipe,
            dataset=dataset,
            folder=job.folder,
            init_from=job.init_from,
            resume=job.resume,
            reporter=reporter,
        )
    final = run.final_epoch
    console.print(
        f"{run.record.epochs} epochs in {run.record.seconds:.0f} s, validation accuracy "
        f"{final.validation_accuracy:.4f} (epoch {final.number})"
    )
    if job.data is None:
        options = "" if job.folder.name == recipe.name else f" --run {job.folder.name}"
        options += "" if job.folder.parent == Path("runs") else f" --runs {job.folder.parent}"
        console.print(f"Next: lectern export {recipe.name}{options}")
        return
    export_job = ExportJob(
        recipe=recipe.name, runs=[job.folder], models=job.models, name=job.name, data=job.data
    )
    card = _export(export_job, recipe, dataset)
    console.print(
        f"{job.models / card.name / str(card.version)}: accuracy {card.metrics.accuracy:.4f} on "
        f"{card.metrics.count} test images. Try it: lectern predict {card.name} picture.jpg"
    )


def run_folds(job: TrainingJob, *, folds: int, console: Console) -> None:
    """Run K-fold cross-validation; print each result, their mean and their standard deviation.

    Raises:
        RecipeError: The number of folds is not possible, or the recipe continues another run, which has seen
            the held-out examples.
    """
    recipe, dataset = _prepare(job, console)
    if recipe.init_from:
        raise RecipeError(
            f"{recipe.name} continues a run of {recipe.init_from}, which has seen the examples that a fold "
            f"holds out; cross-validate {recipe.init_from} instead"
        )
    accuracies = []
    parts = make_folds(dataset, folds=folds, seed=recipe.hyperparameters.seed)
    for number, fold in enumerate(parts, start=1):
        run = train(recipe, dataset=fold, folder=job.folder / f"fold-{number}", resume=job.resume)
        accuracies.append(run.final_epoch.validation_accuracy)
        console.print(f"fold {number}/{folds}  validation accuracy {accuracies[-1]:.4f}")
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    console.print(f"mean {mean:.4f}, standard deviation {deviation:.4f} over {folds} folds")


def run_export(job: ExportJob) -> Card:
    """Export a finished run, or several as one network.

    Returns:
        The card of the exported model.

    Raises:
        RunError: A folder contains no finished run, a run is of other data, or the runs do not go together.
        ExportError: The outputs of the exported network differ from those of the trained one.
    """
    path = job.runs[0] / _VOCABULARY
    recipe = load_recipe(job.recipe)
    vocabulary = Vocabulary.read(path) if path.exists() else None
    dataset = prepare_data(recipe, folder=job.data, vocabulary=vocabulary)
    if job.data:
        recipe = _for_own_images(recipe, dataset)
    return _export(job, recipe, dataset)


def _next_version(models: Path, name: str) -> int:
    """Return the version after the highest one of a model."""
    taken = [int(path.name) for path in (models / name).glob("*") if path.name.isdigit()]
    return max(taken, default=0) + 1


def _prepare(job: TrainingJob, console: Console) -> tuple[Recipe, Dataset]:
    recipe = load_recipe(job.recipe)
    recipe.configure(job.overrides)  # Refuses wrong options before the data is loaded.
    with download_bar(console) as progress:
        dataset = prepare_data(recipe, folder=job.data, extra=job.extra, progress=progress)
    if job.data:
        recipe = _for_own_images(recipe, dataset)
    for skipped in dataset.skipped:
        console.print(f"skipped {skipped}")
    splits = ", ".join(f"{count} {name}" for name, count in dataset.splits.items())
    console.print(f"{recipe.name} on {dataset.name}: {splits}")
    return recipe.configure(job.overrides), dataset


def _for_own_images(recipe: Recipe, dataset: Dataset) -> Recipe:
    batch_size = max(_MIN_BATCH, len(dataset.train) // _MIN_STEPS)
    hyperparameters = recipe.hyperparameters
    return replace(
        recipe,
        title=f"Own pictures of {', '.join(dataset.labels)}",
        dataset=dataset.name,
        hyperparameters=replace(hyperparameters, batch_size=min(hyperparameters.batch_size, batch_size)),
    )


def _export(job: ExportJob, recipe: Recipe, dataset: Dataset) -> Card:
    own_data = job.data is not None
    runs = [_load_member(folder, recipe, dataset, own_data=own_data) for folder in job.runs]
    _check_members(job, runs)
    models = [run.model for run in runs]
    if job.average == "weights":
        models = [average_weights(models)]
    notes = {"compared_with": _compare(job.compare, recipe, runs[0], dataset)} if job.compare else {}
    name = job.name or dataset.name
    trained = Trained(
        name=name,
        version=job.version or _next_version(job.models, name),
        recipe=recipe,
        runs=runs,
        models=models,
        dataset=dataset,
        notes=notes,
    )
    return export(trained, models=job.models)


def _load_member(folder: Path, recipe: Recipe, dataset: Dataset, *, own_data: bool) -> Run:
    """Load a run that is to be exported, and check that it fits the recipe and the data."""
    run = load_run(folder)
    record = run.record
    # The user's extra training examples are not needed for the measurements on validation and test.
    splits = {split: count for split, count in record.splits.items() if split != "extra"}
    same_inputs = _input_format(load_recipe(record.recipe)) == _input_format(recipe)
    if not same_inputs or record.labels != dataset.labels or splits != dataset.splits:
        raise RunError(
            f"{folder}: is a run of {record.recipe} on {record.dataset} or on other data; train again"
        )
    if own_data and record.dataset_sha256 != dataset.sha256:
        raise RunError(
            f"{folder}: the images of {dataset.name} have changed since the run, so its test images may have "
            "been training images; restore the images, or train again"
        )
    return run


def _input_format(recipe: Recipe) -> tuple[object, ...]:
    return recipe.preprocessing, recipe.size, recipe.vocabulary


def _check_members(job: ExportJob, runs: Sequence[Run]) -> None:
    """Refuse a first run of another recipe, and runs of one recipe that do not differ in the seed alone.

    Runs whose weights are averaged may differ in other settings too.
    """
    first = runs[0].record
    if first.recipe != job.recipe:
        raise RunError(f"{job.runs[0]}: is a run of {first.recipe}; export that, or train {job.recipe}")
    if job.average == "weights":
        return
    members = zip(job.runs, (run.record for run in runs), strict=True)
    for (first_folder, one), (folder, other) in itertools.combinations(members, 2):
        if other.recipe != one.recipe:
            continue
        changed = other.changed_settings(one).keys()
        if changed - {"seed"}:
            raise RunError(
                f"{folder}: differs from {first_folder} in more than the seed; name runs with equal settings"
            )
        if not changed:
            raise RunError(f"{folder}: has the same seed as {first_folder}; name runs of different seeds")


def _compare(folder: Path, recipe: Recipe, run: Run, dataset: Dataset) -> dict[str, Any]:
    """Measure another run of the recipe and return its metrics and the settings that differ."""
    other = load_run(folder)
    metrics = measure_network(other.model, dataset, recipe=recipe)
    return {
        "run": folder.name,
        "settings": other.record.changed_settings(run.record),
        "epochs": other.record.epochs,
        "seconds": other.record.seconds,
        "metrics": card_document(metrics),
    }
