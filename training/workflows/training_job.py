"""Defines the arguments of ``lectern train``, and prepares a run's folder, settings and data."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from service.inference.errors import LecternError
from service.inference.files import write_atomically
from service.inference.program import command
from training.datasets import Dataset, is_own
from training.errors import RunError
from training.fit.inputs import for_own_images, prepare_data
from training.fit.run import read_record
from training.fit.run_folder import (
    ARGUMENTS,
    VOCABULARY,
    foreign_files,
    free_name,
    lock_run,
    read_arguments,
    read_settings,
    read_state,
    replaced_run,
    stored_examples,
    stored_folds,
    to_hyperparameters,
    write_arguments,
)
from training.recipes import load_recipe
from training.recipes.recipe import Recipe
from training.reporting.json_progress import Controls, EventWriter
from training.reporting.progress import download_bar
from training.workflows.folds import check_no_fold
from training.workflows.hints import chosen_models, replaced_options, run_options


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """The arguments of ``lectern train``."""

    recipe: str
    words: tuple[str, ...]  # of the command line, that name the recipe and the data
    typed: tuple[str, ...]  # all words of the command line
    runs: Path  # folder of all runs
    folder: Path  # of the run
    default_run: str  # name of the folder if the command line does not name it
    models: Path
    data: Path | None
    extra: Path | None
    name: str | None
    overrides: Mapping[str, Any]  # hyperparameters
    lecture: bool  # whether the lecture's hyperparameters replace the recipe's
    init_from: Path | None
    resume: bool
    tensorboard: bool
    confirm: Callable[[str], bool]  # asks a question with the answers yes and no
    folds: int | None = None  # of a cross-validation; None for a single run
    examples: int | None = None  # approximate number of training examples; None for all
    watch: Path | None = None  # picture or text that the network reads after each epoch
    events: EventWriter | None = None  # writes the progress as JSON lines, in place of the console
    controls: Controls | None = None  # of a run with events

    def command(self, *options: str) -> str:
        """Return a command line that trains this job's recipe in this job's folder."""
        named = run_options(self.folder, default=self.default_run)
        return command("train", *self.words, *named, *options)

    def configure(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the hyperparameters that this job sets."""
        return (recipe.as_in_lecture() if self.lecture else recipe).configure(self.overrides)


@contextmanager
def begin(job: TrainingJob, console: Console) -> Iterator[tuple[TrainingJob, Recipe, Dataset]]:
    """Lock the folder of a run, and load its settings and data.

    Yields:
        The job, with the stored arguments if it is resumed; the configured recipe; and its data set with the
        network's inputs.

    Raises:
        RunError: Another training uses the folder, or it contains a run that the user wants to keep, or that
            is of another kind than the resumed one; or the run with the initial weights is not finished, is a
            fold, or is of other splits.
    """
    if not (job.resume and read_settings(job.folder)):
        job.configure(load_recipe(job.recipe))  # Refuses wrong options before anything is written.
    with lock_run(job.folder):
        if job.resume:
            if read_settings(job.folder) is None:
                console.print(f"{job.folder}: contains no run to resume; a new one begins")
            job = _with_stored_arguments(job)
        else:
            _ask_before_replacing(job)
        if job.init_from:
            _check_initial_run(job.init_from, job)
        recipe, dataset = _prepare(job, console)
        if job.init_from:
            _check_initial_data(job.init_from, dataset)
        yield job, recipe, dataset


@contextmanager
def prepared_folder(job: TrainingJob, dataset: Dataset) -> Iterator[None]:
    """Store the arguments and the vocabulary of a run in its folder; see :func:`replaced_run`."""
    values = {
        "data": job.data,
        "extra": job.extra,
        "init_from": job.init_from,
        "examples": job.examples,
        "folds": job.folds,
        "name": job.name,
        "models": job.models if job.data else None,
    }
    arguments = {name: str(value) if value else None for name, value in values.items()}
    place = _resumed_run(job.folder) if job.resume else replaced_run(job.folder)
    with place:
        write_arguments(job.folder, {"recipe": job.recipe, **arguments})
        if dataset.vocabulary and not job.folds:  # each fold has its own
            dataset.vocabulary.write(job.folder / VOCABULARY)
        yield


@contextmanager
def _resumed_run(folder: Path) -> Iterator[None]:
    """Give an interrupted run the files back that it began with, if it is not resumed with other ones."""
    paths = [folder / name for name in (ARGUMENTS, VOCABULARY)]
    earlier = {path: path.read_bytes() for path in paths if path.exists()}
    try:
        yield
    except LecternError:
        for path, content in earlier.items():
            write_atomically(path, content)
        raise


def _check_initial_run(folder: Path, job: TrainingJob) -> None:
    if folder.resolve() == job.folder.resolve():
        raise RunError(
            f"{folder}: is the folder of the new run too, and its weights would be lost; choose another name "
            "with --run"
        )
    read_record(folder)
    check_no_fold(folder)


def _check_initial_data(folder: Path, dataset: Dataset) -> None:
    """Refuse a run on the same data of the user's, with other pictures or texts, and so with other splits."""
    record = read_record(folder)
    if is_own(dataset.name) and record.dataset == dataset.name and record.dataset_sha256 != dataset.sha256:
        raise RunError(
            f"{folder}: the data of {dataset.name} has changed since the run, so its network may have been "
            "trained on test examples; restore the data, or train without --init-from"
        )


def _ask_before_replacing(job: TrainingJob) -> None:
    if foreign := foreign_files(job.folder):
        raise RunError(
            f"{job.folder}: has files that the run would replace, and that are of no run: "
            f"{', '.join(foreign)}; choose another name with --run"
        )
    state = read_state(job.folder)
    if state.empty or job.confirm(f"{job.folder} contains {state}. Delete it, and train from the beginning?"):
        return
    resume = "" if state.finished else f"continue it with: {job.command('--resume')}; or "
    other_name = job.folder.relative_to(job.runs).with_name(free_name(job.folder))
    other = command("train", *replaced_options(job.typed, "--run", "--yes"), "--run", other_name)
    raise RunError(
        f"{job.folder}: contains {state}, which is kept; {resume}train under another name: {other}; or "
        "replace it with --yes"
    )


def _with_stored_arguments(job: TrainingJob) -> TrainingJob:
    """Add the arguments that a resumed run began with."""
    read_state(job.folder)  # refuses damaged files before anything is written
    stored = read_arguments(job.folder)
    if stored.get("recipe", job.recipe) != job.recipe:
        raise RunError(
            f"{job.folder}: is a run of {stored['recipe']}, not of {job.recipe}; choose another --run"
        )
    examples = stored_examples(stored)
    if job.examples and "examples" in stored and job.examples != examples:
        count = f"about {examples}" if examples else "all"
        raise RunError(
            f"{job.folder}: is a run on {count} examples; leave out --examples to resume it, or choose "
            "another --run"
        )
    folds = stored_folds(stored)
    if job.folds and "folds" in stored and job.folds != folds:
        kind = f"a cross-validation with {folds} folds" if folds else "a single run, without --folds"
        raise RunError(f"{job.folder}: is {kind}; leave out --folds to resume it, or choose another --run")
    if folds and (job.events or job.tensorboard):
        raise RunError(
            f"{job.folder}: is a cross-validation, which goes neither with --progress json nor with "
            "--tensorboard"
        )
    paths = {name: Path(path) for name, path in stored.items() if path}
    return replace(
        job,
        folds=job.folds or folds,
        name=job.name or stored.get("name"),
        models=paths.get("models", job.models) if job.models == chosen_models() else job.models,
        data=job.data or paths.get("data"),
        extra=job.extra or paths.get("extra"),
        init_from=job.init_from or paths.get("init_from"),
        examples=job.examples or examples,
    )


def _prepare(job: TrainingJob, console: Console) -> tuple[Recipe, Dataset]:
    recipe = load_recipe(job.recipe)
    with nullcontext(job.events.download) if job.events else download_bar(console) as progress:
        dataset = prepare_data(
            recipe,
            folder=job.data,
            extra=job.extra,
            limit=job.examples,
            validation_limit=job.examples // 2 if job.examples else None,
            progress=progress,
        )
    if job.data:
        recipe = for_own_images(recipe, dataset)
    for skipped in dataset.skipped:
        console.print(f"skipped {skipped}")
    if dataset.copies:
        several = "examples are copies" if dataset.copies > 1 else "example is a copy"
        console.print(f"{dataset.copies} {several} of others; all copies of an example are in one split")
    splits = ", ".join(f"{count} {name}" for name, count in dataset.splits.items())
    console.print(f"{recipe.name} on {dataset.name}: {splits}")
    return _configure(job, recipe), dataset


def _configure(job: TrainingJob, recipe: Recipe) -> Recipe:
    """Return the recipe with the settings of the job; a resumed run keeps those that it began with."""
    settings = read_settings(job.folder) if job.resume else None
    if settings is None or job.lecture:
        return job.configure(recipe)
    recipe = replace(recipe, hyperparameters=to_hyperparameters(settings, folder=job.folder))
    if fine_tuning := settings.get("fine_tuning"):
        recipe = replace(recipe, fine_tuning=to_hyperparameters(fine_tuning, folder=job.folder))
    return recipe.configure(job.overrides)


@contextmanager
def resumable(job: TrainingJob, console: Console) -> Iterator[None]:
    """Print the command that continues the training if it is interrupted."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        state = read_state(job.folder)
        if not state.empty:
            line = job.command("--resume")
            console.print(f"Interrupted after {state.epochs} finished epochs. Continue with: {line}")
        raise
