"""Trains the runs of an experiment for ``lectern experiment``; finished ones are used again."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from service.inference.files import write_atomically
from training.augmentation.geometric import augment
from training.datasets import Dataset
from training.datasets.dataset import as_served
from training.errors import RunError
from training.experiments.experiment import Experiment, Extent, Form, Variant
from training.export.exporter import keras_probabilities, served_network
from training.export.plots import plot_comparison, plot_images
from training.fit.inputs import make_folds, prepare_data
from training.fit.run import Run, complete_settings, load_run, read_record
from training.fit.run_folder import (
    VOCABULARY,
    lock_run,
    read_arguments,
    read_settings,
    read_state,
    replaced_run,
    write_arguments,
)
from training.fit.train import train
from training.metrics import compute_metrics
from training.networks.receptive_field import receptive_fields
from training.recipes.recipe import Recipe
from training.reporting.experiments import Outcome, Report, make_outcome, record_report, report_text
from training.reporting.progress import ConsoleReporter, download_bar

_EXPERIMENTS = "experiments"
_PICTURE_COLORS = 160
_AUGMENTED_ROWS, _AUGMENTED_COLUMNS = 4, 7


@dataclass(frozen=True, kw_only=True)
class ExperimentJob:
    """The arguments of ``lectern experiment``."""

    experiment: Experiment
    runs: Path  # folder of all runs
    form: Form  # how many examples and epochs
    record: bool  # whether to store the result for the page of all experiments
    confirm: Callable[[str], bool]  # asks a question with the answers yes and no

    @property
    def folder(self) -> Path:
        """Folder of this experiment's runs and report."""
        other = self.form == "quick" or (self.form == "whole" and self.experiment.shortened)
        return self.runs / _EXPERIMENTS / (self.experiment.name + (f"-{self.form}" if other else ""))

    @property
    def extent(self) -> Extent:
        """How much of its data and epochs the runs take."""
        return self.experiment.extent(self.form)


def run_experiment(job: ExperimentJob, *, console: Console) -> Report:
    """Train the runs that are not finished, and write ``curves.png`` and ``report.md`` beside them.

    Raises:
        RunError: A folder contains a run with other settings or data that the user wants to keep.
        DatasetError: The data cannot be loaded.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    datasets = _Datasets(job, console)
    runs: dict[str, Run] = {}
    outcomes: list[Outcome] = []
    page: bytes | None = None
    for variant in job.experiment.variants:
        recipe = variant.configure(job.extent)
        dataset = datasets.of(variant, recipe)
        console.print(f"{job.experiment.name}: {variant.name} ({recipe.name} on {dataset.name})")
        run = _obtain(job, variant, recipe, dataset, console)
        runs[variant.name] = run
        outcomes.append(_measure(variant, run, recipe, dataset))
        if job.experiment.shows_augmentation and recipe.hyperparameters.augmentation:
            page = _augmented_page(recipe, dataset)
            write_atomically(job.folder / "augmented.png", page)
    machine = runs[job.experiment.variants[-1].name].record.machine
    report = Report(
        experiment=job.experiment.name, machine=machine, outcomes=tuple(outcomes), extent=job.extent
    )
    histories = {name: run.history for name, run in runs.items()}
    picture = _fewer_colors(plot_comparison(histories, title=job.experiment.title))
    write_atomically(job.folder / "curves.png", picture)
    text = f"# {job.experiment.title}\n\n![Curves](curves.png)\n\n{report_text(job.experiment, report)}\n"
    write_atomically(job.folder / "report.md", text.encode())
    if job.record:
        record_report(report, picture, page=page)
    return report


class _Datasets:
    """Loads each data set of an experiment once."""

    def __init__(self, job: ExperimentJob, console: Console) -> None:
        self._extent = job.extent
        self._console = console
        self._loaded: dict[tuple[object, ...], Dataset] = {}
        self._folds: dict[tuple[object, ...], list[Dataset]] = {}

    def of(self, variant: Variant, recipe: Recipe) -> Dataset:
        """Return the data of a run, with its fold as the validation split."""
        key = (recipe.dataset, recipe.size, recipe.preprocessing, recipe.vocabulary, recipe.length)
        if key not in self._loaded:
            with download_bar(self._console) as progress:
                self._loaded[key] = prepare_data(
                    recipe,
                    limit=self._extent.examples,
                    validation_limit=self._extent.held_out,
                    test_limit=self._extent.held_out,
                    progress=progress,
                )
        if variant.fold is None:
            return self._loaded[key]
        number, folds = variant.fold
        seed = recipe.hyperparameters.seed
        if (*key, folds, seed) not in self._folds:
            self._folds[*key, folds, seed] = make_folds(self._loaded[key], folds=folds, seed=seed)
        return self._folds[*key, folds, seed][number - 1]


def _obtain(job: ExperimentJob, variant: Variant, recipe: Recipe, dataset: Dataset, console: Console) -> Run:
    """Return a finished run with the settings of a variant; train it if there is none, or continue it."""
    folder = job.folder / variant.name.replace(" ", "-").replace(",", "")
    if variant.fold is None and not (folder / "settings.json").exists():
        found = _find_run(job.runs, recipe, dataset)
        if found is not None:
            console.print(f"{found}: a finished run is taken")
            return load_run(found)
    with lock_run(folder):
        state = read_state(folder)
        current = state.empty or _is_current(folder, recipe, dataset)
        if state.finished and current:
            console.print(f"{folder}: a finished run is taken")
            return load_run(folder)
        if not current and not job.confirm(
            f"{folder} contains {state} with other settings or data. Delete it, and train again?"
        ):
            raise RunError(
                f"{folder}: contains {state} with other settings or data, which is kept; replace it with "
                "--yes, or choose another folder with --runs"
            )
        fold = "/".join(map(str, variant.fold)) if variant.fold else None
        with contextlib.nullcontext() if current else replaced_run(folder):
            write_arguments(folder, {"recipe": recipe.name, "fold": fold})
            if dataset.vocabulary and not (folder / VOCABULARY).exists():
                dataset.vocabulary.write(folder / VOCABULARY)
            with ConsoleReporter(console) as reporter:
                return train(recipe, dataset=dataset, folder=folder, resume=current, reporter=reporter)


def _find_run(runs: Path, recipe: Recipe, dataset: Dataset) -> Path | None:
    """Return the folder of a finished run with the settings of a recipe and this data; None if none has."""
    for path in sorted([*runs.glob("*/run.json"), *runs.glob(f"{_EXPERIMENTS}/*/*/run.json")]):
        with contextlib.suppress(RunError):  # another run is damaged, or of an earlier version
            if not read_arguments(path.parent).get("fold") and _is_current(path.parent, recipe, dataset):
                return path.parent
    return None


def _is_current(folder: Path, recipe: Recipe, dataset: Dataset) -> bool:
    """Return whether a run is of a recipe with these settings and, if it is finished, of this data."""
    settings = read_settings(folder)
    if settings is None or complete_settings(settings) != complete_settings(recipe.settings):
        return False
    if not read_state(folder).finished:
        return True
    record = read_record(folder)
    found = (record.recipe, record.dataset_sha256, record.splits)
    return found == (recipe.name, dataset.sha256, dataset.splits)


def _measure(variant: Variant, run: Run, recipe: Recipe, dataset: Dataset) -> Outcome:
    test = as_served(dataset.test, preprocessing=recipe.preprocessing)
    probabilities = keras_probabilities(served_network([run.model], recipe), test.x)
    return make_outcome(
        variant.name,
        run.history,
        parameters=run.model.count_params(),
        receptive_field=max(receptive_fields(run.model).values(), default=None),
        test_accuracy=compute_metrics(probabilities, test.y, labels=dataset.labels).accuracy,
    )


def _augmented_page(recipe: Recipe, dataset: Dataset) -> bytes:
    """Draw training images, and beside each some random changes of it."""
    images = dataset.train.x[:: max(1, len(dataset.train) // _AUGMENTED_ROWS)][:_AUGMENTED_ROWS]
    rng = np.random.default_rng(recipe.hyperparameters.seed)
    augmentation = recipe.hyperparameters.augmentation
    changed = [augment(images, by=augmentation, rng=rng) for _ in range(_AUGMENTED_COLUMNS - 1)]
    rows = [[original, *others] for original, *others in zip(images, *changed, strict=True)]
    return _fewer_colors(plot_images(rows, title="Training images (left), and random changes of them"))


def _fewer_colors(png: bytes) -> bytes:
    """Make a PNG file smaller: with few colours, curves look the same."""
    with Image.open(io.BytesIO(png)) as picture:
        reduced = picture.convert("RGB").quantize(_PICTURE_COLORS, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    reduced.save(stream, "PNG", optimize=True)
    return stream.getvalue()
