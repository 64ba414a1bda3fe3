"""Exports finished runs as a version of a model, for ``lectern export`` and for the user's own images."""

import itertools
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from service.inference.card import Card, card_document
from service.inference.errors import ModelError, ModelNotFound
from service.inference.repository.default_version import reason_against, write_default
from service.inference.repository.model import LoadOptions, Model
from training.datasets import Dataset, is_own
from training.errors import ExportError, RunError
from training.export.exporter import export, measure_network
from training.export.model_card import Trained
from training.fit.inputs import for_own_images, prepare_data
from training.fit.run import Run, load_run, settings_without_seed
from training.fit.run_folder import read_arguments, read_vocabulary, stored_examples
from training.networks.ensemble import average_weights
from training.recipes import load_recipe
from training.recipes.recipe import Recipe
from training.workflows.folds import check_no_fold
from training.workflows.hints import model_command

Average = Literal["logits", "weights"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


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
    default: bool = False  # whether the new version becomes the default one
    force: bool = False  # even if its labels differ, or its test accuracy is lower


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The card of a new version, whether it is the default one, and a hint for the user."""

    card: Card
    is_default: bool
    hint: str = ""


def run_export(job: ExportJob) -> Exported:
    """Export a finished run, or several as one network.

    Raises:
        RunError: A folder contains no finished run, a run is a fold or of other data, or the runs do not go
            together.
        ExportError: The version exists, or its labels are not those of the model. Or it should become the
            default one but is worse. Or the exported network has other outputs than the trained one.
    """
    recipe = load_recipe(job.recipe)
    limit = stored_examples(read_arguments(job.runs[0]))
    dataset = prepare_data(
        recipe,
        folder=job.data,
        vocabulary=read_vocabulary(job.runs[0]),
        limit=limit,
        validation_limit=limit // 2 if limit else None,
    )
    if job.data:
        recipe = for_own_images(recipe, dataset)
    return export_runs(job, recipe, dataset)


def export_runs(job: ExportJob, recipe: Recipe, dataset: Dataset) -> Exported:
    """Export finished runs whose data is loaded; see :func:`run_export`."""
    name = job.name or dataset.name
    current = check_target(job.models, name, version=job.version, labels=dataset.labels, force=job.force)
    runs = [_load_member(folder, recipe, dataset, own_data=job.data is not None) for folder in job.runs]
    recipe = recipe.on_base(runs[0].record.settings.get("base"))
    _check_members(job, runs)
    models = [run.model for run in runs]
    if job.average == "weights":
        models = [average_weights(models)]
    notes = {"compared_with": _compare(job, recipe, runs[0], dataset)} if job.compare else {}
    trained = Trained(
        name=name,
        version=job.version or _next_version(job.models, name),
        recipe=recipe,
        runs=runs,
        models=models,
        dataset=dataset,
        notes=notes,
    )
    card = export(trained, models=job.models, default=current.version if current else None)
    return _choose_default(job, card, current)


def check_target(
    models: Path, name: str, *, labels: Sequence[str], version: int | None = None, force: bool = False
) -> Card | None:
    """Check that a new version of a model can be written.

    Args:
        models: Folder of all models.
        name: Name of the model.
        labels: Labels of the new version.
        version: Its number; None for the next free one.
        force: Whether it may have other labels than the model's default version.

    Returns:
        The card of the model's default version; None if there is no model of this name yet.

    Raises:
        ExportError: The version exists, or the model has other labels, or its default version cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise ExportError(
            f"--name {name!r}: use only letters, digits, _, - and ., and begin with a letter or a digit"
        )
    if version and (models / name / str(version)).exists():
        raise ExportError(f"{name} {version} exists, and versions are never overwritten; leave out --version")
    if not (models / name).is_dir():
        return None
    try:
        current = Model(models / name, LoadOptions()).card()
    except ModelNotFound:
        return None
    except ModelError as error:
        if force:
            return None
        raise ExportError(
            f"the default version of {name} cannot be used, so the labels of a new one cannot be compared "
            f"with it ({error}); repair or delete that version, or choose another name with --name"
        ) from error
    if tuple(labels) != current.labels and not force:
        raise ExportError(
            f"the model {name} has the labels {', '.join(current.labels)}, the new version would have "
            f"{', '.join(labels)}; choose another name with --name"
        )
    return current


def _choose_default(job: ExportJob, card: Card, current: Card | None) -> Exported:
    """Make a new version the default one if the job wants it, or return a hint how to do it."""
    if current is None:
        return Exported(card=card, is_default=True)
    words = ["models", card.name, "--version", card.version, "--default"]
    if not job.default:
        hint = f"{card.name} {current.version} stays the default version. To change that: "
        return Exported(card=card, is_default=False, hint=hint + model_command(job.models, *words))
    reason = reason_against(card, current=current)
    if reason and not job.force:
        raise ExportError(
            f"{card.name} {card.version} was exported, and does not become the default version: {reason}. "
            f"To do it nevertheless: {model_command(job.models, *words, '--force')}"
        )
    write_default(job.models / card.name, card.version)
    return Exported(card=card, is_default=True)


def _next_version(models: Path, name: str) -> int:
    """Return the version after the highest one of a model."""
    taken = [int(path.name) for path in (models / name).glob("*") if path.name.isdecimal()]
    return max(taken, default=0) + 1


def _load_member(folder: Path, recipe: Recipe, dataset: Dataset, *, own_data: bool) -> Run:
    """Load a run that is to be exported, and check that it fits the recipe and the data."""
    run = load_run(folder)
    check_no_fold(folder)
    record = run.record
    # The user's extra training examples are not needed for the measurements on validation and test.
    splits = {split: count for split, count in record.splits.items() if split != "extra"}
    same_inputs = _input_format(load_recipe(record.recipe)) == _input_format(recipe)
    if not same_inputs or record.labels != dataset.labels or splits != dataset.splits:
        used = None if own_data else read_arguments(folder).get("data")
        way_out = f"name that with --data {shlex.quote(used)}" if used else "name another run, or train again"
        raise RunError(
            f"{folder}: is a run of {record.recipe} on {record.dataset} or on other data; {way_out}"
        )
    if (own_data or is_own(dataset.name)) and record.dataset_sha256 != dataset.sha256:
        raise RunError(
            f"{folder}: the data of {dataset.name} has changed since the run, so its test examples may have "
            "been training examples; restore the data, or train again"
        )
    return run


def _input_format(recipe: Recipe) -> tuple[object, ...]:
    return recipe.preprocessing, recipe.size, recipe.vocabulary, recipe.length


def _check_members(job: ExportJob, runs: Sequence[Run]) -> None:
    """Refuse a first run of another recipe, and runs of one recipe that differ in more or less than the seed.

    Runs whose weights are averaged may differ in other settings.
    """
    first = runs[0].record
    if first.recipe != job.recipe:
        raise RunError(f"{job.runs[0]}: is a run of {first.recipe}; export that, or train {job.recipe}")
    if job.average == "weights":
        if len(set(job.runs)) < len(job.runs):
            raise RunError(f"{job.runs[0]}: a run is named twice; name different runs")
        return
    members = zip(job.runs, (run.record for run in runs), strict=True)
    for (first_folder, one), (folder, other) in itertools.combinations(members, 2):
        if other.recipe != one.recipe:
            continue
        if settings_without_seed(other.settings) != settings_without_seed(one.settings):
            raise RunError(
                f"{folder}: differs from {first_folder} in more than the seed; name runs with equal settings"
            )
        if other.seed == one.seed:
            raise RunError(f"{folder}: has the same seed as {first_folder}; name runs of different seeds")


def _compare(job: ExportJob, recipe: Recipe, run: Run, dataset: Dataset) -> dict[str, Any]:
    """Measure another run on the same data, and return its metrics and the settings that differ."""
    assert job.compare is not None, "the caller has checked it"
    other = _load_member(job.compare, recipe, dataset, own_data=job.data is not None)
    metrics = measure_network(other.model, dataset, recipe=load_recipe(other.record.recipe))
    return {
        "run": job.compare.name,
        "settings": other.record.changed_settings(run.record),
        "epochs": other.record.epochs,
        "seconds": other.record.seconds,
        "metrics": card_document(metrics),
    }
