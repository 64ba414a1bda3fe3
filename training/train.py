"""Owns the way from a recipe and its settings to a finished run."""

from pathlib import Path

from training.datasets import Dataset
from training.history import Epoch
from training.layers import Statistics, measure
from training.loop import Reporter, fit
from training.recipe import Recipe
from training.run import RunRecord, describe_machine, describe_versions, save_run
from training.settings import Settings


def train(
    recipe: Recipe,
    *,
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> tuple[RunRecord, tuple[Epoch, ...]]:
    """Train a recipe's network and leave a finished run in a folder.

    Args:
        recipe: What to train.
        dataset: With inputs as the recipe's network takes them.
        settings: The recipe's own or changed ones.
        folder: Of this run; made if it is missing.
        resume: Go on with an interrupted run in that folder.
        reporter: Is told of progress.

    Returns:
        The record of the run, and a row per epoch.
    """
    (folder / "run.json").unlink(missing_ok=True)
    statistics = statistics_of(dataset)
    model, history = fit(
        lambda: recipe.build(settings, statistics),
        train=dataset.train,
        validation=dataset.validation,
        settings=settings,
        folder=folder,
        resume=resume,
        reporter=reporter,
    )
    record = RunRecord(
        recipe=recipe.name,
        settings=settings.as_dict(),
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        splits=dataset.splits,
        labels=dataset.labels,
        epochs=len(history),
        seed=settings.seed,
        seconds=round(sum(row.seconds for row in history), 1),
        machine=describe_machine(),
        versions=describe_versions(),
    )
    save_run(folder, record=record, model=model, history=history)
    return record, history


def statistics_of(dataset: Dataset) -> Statistics:
    """Return the standard-score constants of a data set; texts have none."""
    return measure(dataset.train.x) if dataset.train.x.dtype == "uint8" else Statistics()
