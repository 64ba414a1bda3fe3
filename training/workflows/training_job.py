"""Defines the arguments of ``lectern train``, and prepares a run's folder, settings and data."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from service.inference.program import command
from training.datasets import Dataset
from training.errors import RunError
from training.fit.inputs import for_own_images, prepare_data
from training.fit.run_folder import (
    free_name,
    lock_run,
    read_arguments,
    read_settings,
    read_state,
    stored_examples,
    to_hyperparameters,
    write_arguments,
)
from training.recipes import load_recipe
from training.recipes.recipe import Recipe
from training.reporting.json_progress import Controls, EventWriter
from training.reporting.progress import download_bar
from training.workflows.hints import run_options


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """The arguments of ``lectern train``."""

    recipe: str
    words: tuple[str, ...]  # of the command line, that name the recipe and the data
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
        RunError: Another training uses the folder, or it contains a run that the user wants to keep.
    """
    job.configure(load_recipe(job.recipe))  # Refuses wrong options before anything is written.
    with lock_run(job.folder):
        if job.resume:
            job = _with_stored_arguments(job)
        else:
            _ask_before_replacing(job)
        recipe, dataset = _prepare(job, console)
        arguments = {"recipe": job.recipe} | {
            name: str(value) if value else None
            for name, value in (
                ("data", job.data),
                ("extra", job.extra),
                ("init_from", job.init_from),
                ("examples", job.examples),
            )
        }
        write_arguments(job.folder, arguments)
        yield job, recipe, dataset


def _ask_before_replacing(job: TrainingJob) -> None:
    state = read_state(job.folder)
    if state.empty or job.confirm(f"{job.folder} contains {state}. Delete it, and train from the beginning?"):
        return
    resume = "" if state.finished else f"continue it with: {job.command('--resume')}; or "
    other = command(
        "train", *job.words, *run_options(job.folder.with_name(free_name(job.folder)), default="")
    )
    raise RunError(
        f"{job.folder}: contains {state}, which is kept; {resume}train under another name: {other}; or "
        "replace it with --yes"
    )


def _with_stored_arguments(job: TrainingJob) -> TrainingJob:
    """Add the arguments that a resumed run began with."""
    stored = read_arguments(job.folder)
    if stored.get("recipe", job.recipe) != job.recipe:
        raise RunError(
            f"{job.folder}: is a run of {stored['recipe']}, not of {job.recipe}; choose another --run"
        )
    paths = {name: Path(path) for name, path in stored.items() if path}
    return replace(
        job,
        data=job.data or paths.get("data"),
        extra=job.extra or paths.get("extra"),
        init_from=job.init_from or paths.get("init_from"),
        examples=job.examples or stored_examples(stored),
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
        console.print(
            f"{dataset.copies} images are copies of others; all copies of an image are in one split"
        )
    splits = ", ".join(f"{count} {name}" for name, count in dataset.splits.items())
    console.print(f"{recipe.name} on {dataset.name}: {splits}")
    return _configure(job, recipe), dataset


def _configure(job: TrainingJob, recipe: Recipe) -> Recipe:
    """Return the recipe with the settings of the job; a resumed run keeps those that it began with."""
    settings = read_settings(job.folder) if job.resume else None
    if settings is None:
        return job.configure(recipe)
    recipe = replace(recipe, hyperparameters=to_hyperparameters(settings, folder=job.folder))
    if fine_tuning := settings.get("fine_tuning"):
        recipe = replace(recipe, fine_tuning=to_hyperparameters(fine_tuning, folder=job.folder))
    return recipe.configure(job.overrides)


@contextmanager
def resumable(job: TrainingJob, console: Console, *options: str) -> Iterator[None]:
    """Print the command that continues the training if it is interrupted.

    Args:
        job: The job that is trained.
        console: Where to print it.
        options: Further options of its command line.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        state = read_state(job.folder)
        if not state.empty:
            line = job.command(*options, "--resume")
            console.print(f"Interrupted after {state.epochs} finished epochs. Continue with: {line}")
        raise
