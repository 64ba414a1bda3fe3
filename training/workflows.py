"""Owns what ``lectern train`` and ``lectern export`` do, from loading the data to the last line."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from service.inference.card import Card, MemberRun, card_document
from service.inference.preprocessing import Vocabulary
from training.datasets import Dataset
from training.datasets.inputs import Prepared, prepare_dataset
from training.errors import RunError
from training.export.exporter import Trained, export, measure_network
from training.fit.cross_validation import cross_validate
from training.fit.history import Epoch, best_epoch
from training.fit.loop import Reporter
from training.fit.run import RunRecord, load_run
from training.fit.train import train
from training.networks.ensemble import average_weights
from training.recipes import load_recipe
from training.recipes.options import Options
from training.recipes.recipe import Recipe
from training.reporting.progress import ConsoleReporter, download_bar

_VOCABULARY = "vocabulary.txt"
# A folder of one's own is often so small that a recipe's batches would leave a step or two for each epoch.
_STEPS, _SMALLEST_BATCH = 20, 8


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of ``lectern train``.

    Attributes:
        recipe: Name of the recipe.
        own: Folder of one's own pictures, in place of the recipe's data set.
        extra: Folder of one's own pictures, to train on besides the recipe's data set.
        name: Of the model made from that folder; None takes the folder's.
        options: Changes to the recipe's settings.
        folder: Of this run.
        start: Folder of a run whose weights this one begins with.
        resume: Go on with an interrupted run.
        tensorboard: Write logs for TensorBoard.
        models: Where a model made from one's own pictures goes.
    """

    recipe: str
    own: Path | None
    extra: Path | None
    name: str | None
    options: Options
    folder: Path
    start: Path | None
    resume: bool
    tensorboard: bool
    models: Path


def run_training(job: Job, *, console: Console) -> None:
    """Train, say what came out, and export what was trained on one's own pictures."""
    recipe, prepared = _prepare(job, console)
    job.folder.mkdir(parents=True, exist_ok=True)
    if prepared.vocabulary:
        prepared.vocabulary.write(job.folder / _VOCABULARY)
    with ConsoleReporter(console) as bars, _reporter(job, bars) as reporter:
        record, history = train(
            recipe,
            dataset=prepared.dataset,
            settings=job.options.apply(recipe.settings),
            folder=job.folder,
            start=job.start,
            resume=job.resume,
            reporter=reporter,
            progress=bars.pictures,
        )
    kept = best_epoch(history) if record.settings["early_stopping"] else history[-1]
    console.print(
        f"{record.epochs} epochs in {record.seconds:.0f} s, validation accuracy "
        f"{kept.validation_accuracy:.4f} (epoch {kept.number})",
        highlight=False,
        soft_wrap=True,
    )
    if job.own is None:
        console.print(
            f"Next: lectern export {recipe.name}{_run_option(job, recipe)}", highlight=False, soft_wrap=True
        )
        return
    model, version = job.name or prepared.dataset.name, None
    card = _export(recipe, [job.folder], prepared, models=job.models, name=model, version=version)
    console.print(
        f"{job.models / card.name / str(card.version)}: accuracy {card.metrics.accuracy:.4f} on "
        f"{card.metrics.count} test pictures. Try it: lectern predict {card.name} picture.jpg",
        highlight=False,
        soft_wrap=True,
    )


def run_folds(job: Job, *, folds: int, console: Console) -> None:
    """Train once for each fold; print each result, their mean and their spread."""
    recipe, prepared = _prepare(job, console)
    result = cross_validate(
        recipe,
        dataset=prepared.dataset,
        settings=job.options.apply(recipe.settings),
        folds=folds,
        folder=job.folder,
        resume=job.resume,
        announce=lambda fold, accuracy: console.print(
            f"fold {fold}/{folds}  validation accuracy {accuracy:.4f}", highlight=False
        ),
    )
    console.print(
        f"mean {result.mean:.4f}, standard deviation {result.spread:.4f} over {folds} folds", highlight=False
    )


def export_run(
    recipe: str,
    *,
    folders: Sequence[Path],
    models: Path,
    name: str | None = None,
    version: int | None = None,
    own: Path | None = None,
    compare: Path | None = None,
    weights: bool = False,
) -> Card:
    """Export a finished run, or several of other seeds or recipes: the mean of their logits or weights.

    Args:
        recipe: Name of the recipe; of several that of the first run.
        folders: Of the runs, at least one.
        models: Folder of all models.
        name: Of the model; None takes that of its data set.
        version: To make or replace; None takes the next free one.
        own: Folder of one's own pictures that the run was trained on.
        compare: Folder of another run whose test accuracy the card is to tell as well.
        weights: Average the runs' weights, not their logits.

    Raises:
        RunError: There is no finished run in a folder, or it is of other data, or of settings or a seed
            that do not go with the others.
        ExportError: The exported network does not answer as the trained one does.
    """
    vocabulary = folders[0] / _VOCABULARY
    chosen = load_recipe(recipe)
    prepared = prepare_dataset(
        chosen, folder=own, vocabulary=Vocabulary.read(vocabulary) if vocabulary.exists() else None
    )
    if own:
        chosen = _for_own_data(chosen, prepared)
    return _export(
        chosen, folders, prepared, models=models, name=name, version=version, compare=compare, weights=weights
    )


def next_version(models: Path, name: str) -> int:
    """Return the lowest version above all that a model has."""
    taken = [int(path.name) for path in (models / name).glob("*") if path.name.isdigit()]
    return max(taken, default=0) + 1


def _prepare(job: Job, console: Console) -> tuple[Recipe, Prepared]:
    recipe = load_recipe(job.recipe)
    with download_bar(console) as progress:
        prepared = prepare_dataset(recipe, folder=job.own, extra=job.extra, progress=progress)
    if job.own:
        recipe = _for_own_data(recipe, prepared)
    for skipped in prepared.dataset.skipped:
        console.print(f"left out {skipped}", highlight=False, soft_wrap=True)
    splits = ", ".join(f"{count} {name}" for name, count in prepared.dataset.splits.items())
    console.print(f"{recipe.name} on {prepared.dataset.name}: {splits}", highlight=False, soft_wrap=True)
    return recipe, prepared


def _for_own_data(recipe: Recipe, prepared: Prepared) -> Recipe:
    labels = ", ".join(prepared.dataset.labels)
    batch_size = max(_SMALLEST_BATCH, len(prepared.dataset.train) // _STEPS)
    return replace(
        recipe,
        title=f"Own pictures of {labels}",
        dataset=prepared.dataset.name,
        settings=replace(recipe.settings, batch_size=min(recipe.settings.batch_size, batch_size)),
    )


def _export(
    recipe: Recipe,
    folders: Sequence[Path],
    prepared: Prepared,
    *,
    models: Path,
    name: str | None,
    version: int | None,
    compare: Path | None = None,
    weights: bool = False,
) -> Card:
    dataset = prepared.dataset
    runs = [_load(folder, recipe, dataset) for folder in folders]
    records = [record for record, _, _ in runs]
    record, _, history = runs[0]
    _check_members(recipe, folders, records, weights=weights)
    remarks: dict[str, Any] = {}
    if compare:
        remarks["compared_with"] = _compare(compare, recipe, record, prepared)
    members: tuple[MemberRun, ...] = ()
    if len(runs) > 1:
        members = tuple(
            MemberRun(recipe=each.recipe, seed=each.seed, settings=_differing(each, record))
            for each in records
        )
        record = replace(record, seconds=round(sum(each.seconds for each in records), 1))
    networks = [network for _, network, _ in runs]
    model, *others = [average_weights(networks)] if weights else networks
    trained = Trained(
        recipe=recipe,
        record=record,
        model=model,
        history=history,
        dataset=dataset,
        vocabulary=prepared.vocabulary,
        others=tuple(others),
        members=members,
        notes=remarks,
    )
    home = name or dataset.name
    return export(trained, models=models, name=home, version=version or next_version(models, home))


def _load(folder: Path, recipe: Recipe, dataset: Dataset) -> tuple[RunRecord, keras.Model, tuple[Epoch, ...]]:
    """Load a run that is to be exported."""
    record, model, history = load_run(folder)
    # What the user added for training is not needed here: all is judged on validation and test.
    splits = {split: count for split, count in record.splits.items() if split != "extra"}
    alike = _reads(load_recipe(record.recipe)) == _reads(recipe)
    if not alike or record.labels != dataset.labels or splits != dataset.splits:
        raise RunError(
            f"{folder}: is a run of {record.recipe} on {record.dataset}, or on other data; train again"
        )
    return record, model, history


def _reads(recipe: Recipe) -> tuple[object, ...]:
    """Return what two recipes have in common whose networks can read the same inputs."""
    return recipe.preprocessing, recipe.size, recipe.vocabulary


def _check_members(
    recipe: Recipe, folders: Sequence[Path], records: Sequence[RunRecord], *, weights: bool
) -> None:
    """Refuse a first run of another recipe, and two of one recipe that do not differ in just the seed.

    Those whose weights are averaged go on from one another, with other settings if need be.
    """
    if records[0].recipe != recipe.name:
        raise RunError(f"{folders[0]}: is a run of {records[0].recipe}; export that, or train {recipe.name}")
    if weights:
        return
    runs = zip(folders, records, strict=True)
    for (first_folder, first), (folder, record) in itertools.combinations(runs, 2):
        if record.recipe != first.recipe:
            continue
        differing = _differing(record, first).keys()
        if differing - {"seed"}:
            raise RunError(f"{folder}: differs from {first_folder} in more than the seed; average runs alike")
        if not differing:
            raise RunError(f"{folder}: is another run of seed {record.seed}; average runs of different seeds")


def _differing(record: RunRecord, first: RunRecord) -> dict[str, Any]:
    """Return the settings of a run that are not those of another one."""
    return {name: value for name, value in record.settings.items() if value != first.settings.get(name)}


def _compare(folder: Path, recipe: Recipe, record: RunRecord, prepared: Prepared) -> dict[str, Any]:
    """Measure another run of the same recipe, and say in which settings it differs."""
    other, model, _ = load_run(folder)
    metrics = measure_network(model, prepared.dataset, recipe=recipe)
    return {
        "run": folder.name,
        "settings": _differing(other, record),
        "epochs": other.epochs,
        "seconds": other.seconds,
        "metrics": card_document(metrics),
    }


def _run_option(job: Job, recipe: Recipe) -> str:
    return "" if job.folder.name == recipe.name else f" --run {job.folder.name}"


@contextmanager
def _reporter(job: Job, bars: ConsoleReporter) -> Iterator[Reporter]:
    if not job.tensorboard:
        yield bars
        return
    # Imported on request only: it is the one part of training that needs TensorFlow itself.
    from training.fit.tensorboard import TensorBoardReporter

    yield TensorBoardReporter(job.folder / "tensorboard", onward=bars)
