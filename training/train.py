"""Owns the way from a recipe and its settings to a finished run."""

from pathlib import Path

import numpy as np

from training.datasets import Dataset
from training.history import Epoch
from training.layers import DataFacts, measure
from training.loop import Reporter, fit
from training.recipe import Recipe
from training.run import RunRecord, begin_run, describe_machine, describe_versions, save_run
from training.settings import Settings
from training.transfer import Progress, train_transfer
from training.words import count_ratios


def train(
    recipe: Recipe,
    *,
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    resume: bool = False,
    reporter: Reporter | None = None,
    progress: Progress | None = None,
) -> tuple[RunRecord, tuple[Epoch, ...]]:
    """Train a recipe's network and leave a finished run in a folder.

    Args:
        recipe: What to train.
        dataset: With inputs as the recipe's network takes them.
        settings: The recipe's own or changed ones.
        folder: Of this run; made if it is missing.
        resume: Go on with an interrupted run in that folder.
        reporter: Is told of epochs and steps.
        progress: Is told of pictures done and to do while activations of a pretrained base are computed.

    Returns:
        The record of the run, and a row per epoch.

    Raises:
        RunError: The interrupted run had other settings, or its checkpoint cannot be read.
    """
    plain = settings.as_dict() | ({"joint": recipe.joint.as_dict()} if recipe.joint else {})
    begin_run(folder, settings=plain, resume=resume)
    if recipe.method == "transfer":
        outcome = train_transfer(
            recipe,
            dataset=dataset,
            settings=settings,
            folder=folder,
            resume=resume,
            reporter=reporter,
            progress=progress,
        )
        model, history, extra_seconds = outcome.model, outcome.history, outcome.seconds
    else:
        facts = facts_of(dataset)
        model, history = fit(
            lambda: recipe.build(settings, facts),
            train=dataset.train,
            validation=dataset.validation,
            settings=settings,
            folder=folder,
            resume=resume,
            reporter=reporter,
        )
        extra_seconds = 0.0
    record = RunRecord(
        recipe=recipe.name,
        settings=plain,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        splits=dataset.splits,
        labels=dataset.labels,
        epochs=len(history),
        seed=settings.seed,
        seconds=round(sum(row.seconds for row in history) + extra_seconds, 1),
        machine=describe_machine(),
        versions=describe_versions(),
    )
    save_run(folder, record=record, model=model, history=history)
    return record, history


def facts_of(dataset: Dataset) -> DataFacts:
    """Return what a network has to know of a data set before it is built."""
    classes, train = len(dataset.labels), dataset.train
    if train.x.dtype == np.uint8:
        return measure(train.x, classes=classes)
    return DataFacts(classes=classes, ratios=tuple(count_ratios(train.x, train.y).tolist()))
