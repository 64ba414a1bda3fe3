"""Trains the network of a recipe and stores the finished run."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.datasets import Dataset
from training.errors import RunError
from training.fit.loop import Reporter, fit
from training.fit.run import (
    Run,
    RunRecord,
    begin_run,
    describe_machine,
    describe_versions,
    load_run,
    save_run,
)
from training.fit.transfer import TrainedNetwork, train_transfer
from training.hyperparameters import Hyperparameters
from training.networks.statistics import DataStatistics, log_count_ratios, measure_images
from training.recipes.recipe import Build, Recipe


def train(
    recipe: Recipe,
    *,
    dataset: Dataset,
    hyperparameters: Hyperparameters,
    folder: Path,
    init_from: Path | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Train the network of a recipe and store the finished run.

    Args:
        recipe: Recipe of the network.
        dataset: Data set with the network's inputs.
        hyperparameters: The recipe's, or changed ones.
        folder: Folder of the run; it is created.
        init_from: Folder of a finished run of the same network that provides the initial weights.
        resume: Continue an interrupted run in the folder.
        reporter: Receives the progress of epochs and steps.

    Raises:
        RunError: The interrupted run has other settings or data, or its checkpoint cannot be read; or the run
            that provides the weights is missing, unfinished, or of another network.
    """
    settings = hyperparameters.as_dict()
    if recipe.strategy and recipe.strategy.fine_tuning:
        settings["fine_tuning"] = recipe.strategy.fine_tuning.as_dict()
    build = recipe.build
    if init_from:
        initial, build = _initialised_build(init_from, recipe)
        settings["init_from"] = {"recipe": initial.recipe, "seed": initial.seed, "epochs": initial.epochs}
    elif recipe.init_from:
        raise RunError(
            f"{recipe.name}: continues a run of {recipe.init_from}; train that, then name its run "
            "with --init-from"
        )
    begin_run(folder, settings=settings, dataset=dataset, resume=resume)
    if recipe.strategy:
        trained = train_transfer(
            recipe.strategy,
            dataset=dataset,
            hyperparameters=hyperparameters,
            folder=folder,
            resume=resume,
            reporter=reporter,
        )
    else:
        statistics = _measure(dataset)
        model, history = fit(
            lambda: build(hyperparameters, statistics),
            train=dataset.train,
            validation=dataset.validation,
            hyperparameters=hyperparameters,
            folder=folder,
            resume=resume,
            reporter=reporter,
        )
        trained = TrainedNetwork(model=model, history=history)
    run = Run(
        record=_record(recipe, dataset, settings, trained), model=trained.model, history=trained.history
    )
    save_run(folder, run)
    return run


def _measure(dataset: Dataset) -> DataStatistics:
    classes, train = len(dataset.labels), dataset.train
    if train.x.dtype == np.uint8:
        return measure_images(train.x, classes=classes)
    ratios = log_count_ratios(train.x, train.y)
    return DataStatistics(classes=classes, log_count_ratios=tuple(ratios.tolist()))


def _record(recipe: Recipe, dataset: Dataset, settings: dict[str, Any], trained: TrainedNetwork) -> RunRecord:
    return RunRecord(
        recipe=recipe.name,
        settings=settings,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        splits=dataset.splits,
        labels=dataset.labels,
        epochs=len(trained.history),
        seed=settings["seed"],
        seconds=round(sum(row.seconds for row in trained.history) + trained.seconds, 1),
        machine=describe_machine(),
        versions=describe_versions(),
    )


def _initialised_build(folder: Path, recipe: Recipe) -> tuple[RunRecord, Build]:
    """Return the record of a run, and a function that builds the recipe's network with that run's weights."""
    if recipe.strategy:
        raise RunError(f"{recipe.name}: has pretrained weights; leave out --init-from")
    initial = load_run(folder)

    def build(hyperparameters: Hyperparameters, statistics: DataStatistics) -> keras.Model:
        model = recipe.build(hyperparameters, statistics)
        try:
            model.set_weights(initial.model.get_weights())
        except ValueError as error:
            raise RunError(
                f"{folder}: is a run of {initial.record.recipe}, whose network differs from that of "
                f"{recipe.name}; name a run of the same network"
            ) from error
        return model

    return initial.record, build
