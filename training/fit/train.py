"""Owns the way from a recipe and its settings to a finished run."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.datasets import Dataset
from training.errors import RunError
from training.fit.history import Epoch
from training.fit.loop import Reporter, fit
from training.fit.run import (
    RunRecord,
    begin_run,
    describe_machine,
    describe_versions,
    load_run,
    save_run,
)
from training.fit.transfer import Outcome, Progress, train_transfer
from training.networks.network import DataStatistics, measure
from training.networks.word_sum import count_ratios
from training.recipes.recipe import Build, Recipe
from training.settings import Settings


def train(
    recipe: Recipe,
    *,
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    start: Path | None = None,
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
        start: Folder of a finished run of the same network whose weights this one begins with.
        resume: Go on with an interrupted run in that folder.
        reporter: Is told of epochs and steps.
        progress: Is told of pictures done and to do while activations of a pretrained base are computed.

    Returns:
        The record of the run, and a row per epoch.

    Raises:
        RunError: The interrupted run had other settings, or its checkpoint cannot be read; or the run to
            start from is not finished, or of another network, or there is none where the recipe needs one.
    """
    plain = settings.as_dict() | ({"joint": recipe.fine_tuning.as_dict()} if recipe.fine_tuning else {})
    build = recipe.build
    if start:
        begun, build = _begin_at(start, recipe)
        plain |= {"init_from": {"recipe": begun.recipe, "seed": begun.seed, "epochs": begun.epochs}}
    elif recipe.init_from:
        raise RunError(
            f"{recipe.name}: goes on from a run of {recipe.init_from}; train that, then name its run with "
            "--start"
        )
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
    else:
        facts = facts_of(dataset)
        model, history = fit(
            lambda: build(settings, facts),
            train=dataset.train,
            validation=dataset.validation,
            settings=settings,
            folder=folder,
            resume=resume,
            reporter=reporter,
        )
        outcome = Outcome(model, history, seconds=0.0)
    record = _describe(recipe, dataset, plain, outcome)
    save_run(folder, record=record, model=outcome.model, history=outcome.history)
    return record, outcome.history


def _describe(recipe: Recipe, dataset: Dataset, settings: dict[str, Any], outcome: Outcome) -> RunRecord:
    return RunRecord(
        recipe=recipe.name,
        settings=settings,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        splits=dataset.splits,
        labels=dataset.labels,
        epochs=len(outcome.history),
        seed=settings["seed"],
        seconds=round(sum(row.seconds for row in outcome.history) + outcome.seconds, 1),
        machine=describe_machine(),
        versions=describe_versions(),
    )


def _begin_at(folder: Path, recipe: Recipe) -> tuple[RunRecord, Build]:
    """Return the record of a run, and what makes a recipe's network with that run's weights."""
    if recipe.method == "transfer":
        raise RunError(f"{recipe.name}: begins with pretrained weights; leave out --start")
    record, earlier, _ = load_run(folder)

    def build(settings: Settings, facts: DataStatistics) -> keras.Model:
        model = recipe.build(settings, facts)
        try:
            model.set_weights(earlier.get_weights())
        except ValueError as error:
            raise RunError(
                f"{folder}: is a run of {record.recipe}, whose network is not that of {recipe.name}; start "
                "from a run of the same network"
            ) from error
        return model

    return record, build


def facts_of(dataset: Dataset) -> DataStatistics:
    """Return what a network has to know of a data set before it is built."""
    classes, train = len(dataset.labels), dataset.train
    if train.x.dtype == np.uint8:
        return measure(train.x, classes=classes)
    return DataStatistics(classes=classes, ratios=tuple(count_ratios(train.x, train.y).tolist()))
