"""Trains the network of a recipe and stores the finished run."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from training.datasets import Dataset, Examples
from training.datasets.dataset import as_served
from training.errors import RecipeError, RunError
from training.fit.loop import Reporter, fit
from training.fit.run import Run, RunRecord, begin_run, describe_machine, load_run, save_run
from training.fit.transfer import train_transfer
from training.networks.initial_weights import copy_weights
from training.networks.network import Network
from training.networks.sentence_weights import fit_sentence_weights
from training.networks.statistics import (
    DataStatistics,
    measure_images,
    measure_table,
    measure_texts,
    with_targets,
)
from training.recipes.recipe import Build, Recipe


def train(
    recipe: Recipe,
    *,
    dataset: Dataset,
    folder: Path,
    init_from: Path | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Train the network of a recipe and store the finished run.

    Args:
        recipe: Recipe of the network.
        dataset: Data set with the network's inputs.
        folder: Folder of the run; it is created.
        init_from: Folder of a finished run that provides the initial weights: of the same network, or of the
            one that the recipe continues.
        resume: Continue an interrupted run in the folder.
        reporter: Receives the progress of epochs and steps.

    Raises:
        RunError: The interrupted run has other settings or data, or its checkpoint cannot be read; or the run
            that provides the weights is missing, unfinished, or of another network.
        RecipeError: The network fits neither the inputs nor the labels of the data.
    """
    settings, build = recipe.settings, recipe.build
    teacher: keras.Model | None = None
    if init_from:
        initial, build = _initialised_build(init_from, recipe)
        first = initial.record
        settings["init_from"] = {"recipe": first.recipe, "seed": first.seed, "epochs": first.epochs}
        teacher = initial.model if recipe.hyperparameters.distillation else None
    elif recipe.init_from:
        raise RunError(
            f"{recipe.name}: continues a run of {recipe.init_from}; train that, then name its run "
            "with --init-from"
        )
    begin_run(folder, settings=settings, dataset=dataset, resume=resume)
    if recipe.pretrained:
        model, history, seconds = train_transfer(
            recipe, dataset=dataset, folder=folder, resume=resume, reporter=reporter
        )
    else:
        statistics, seconds = _measure(dataset), 0.0
        model, history = fit(
            lambda: _fitting(build(Network(recipe.hyperparameters, statistics)), recipe, dataset),
            train=dataset.train,
            validation=dataset.validation,
            hyperparameters=recipe.hyperparameters,
            folder=folder,
            head=recipe.head,
            teacher=teacher,
            resume=resume,
            reporter=reporter,
        )
    seconds += sum(row.seconds for row in history)
    record = _record(recipe, dataset, settings, epochs=len(history), seconds=round(seconds, 1))
    run = Run(record=record, model=model, history=history)
    save_run(folder, run)
    return run


def _fitting(model: keras.Model, recipe: Recipe, dataset: Dataset) -> keras.Model:
    """Check that a network fits the inputs and labels of a data set, trained and served, and return it."""
    _check_shape(model, dataset.train, f"those of {dataset.name} have")
    served = as_served(dataset.validation.take(slice(1)), preprocessing=recipe.preprocessing)
    _check_shape(model, served, f"the preprocessing {recipe.preprocessing!r} makes those of")
    classes, outputs = len(dataset.labels), model.output_shape[-1]
    if outputs != classes and not (outputs == 1 and classes == 2):
        raise RecipeError(
            f"the network has {outputs} outputs, and {dataset.name} has {classes} labels; end build with "
            "`return network.classifier()`"
        )
    return model


def _check_shape(model: keras.Model, examples: Examples, what: str) -> None:
    wanted, found = model.input_shape[1:], examples.x.shape[1:]
    if None not in wanted and wanted != found:
        raise RecipeError(
            f"the network takes inputs of shape {list(wanted)}, and {what} {list(found)}; change the network "
            "or the data"
        )


def _measure(dataset: Dataset) -> DataStatistics:
    train, classes = dataset.train, len(dataset.labels)
    if dataset.vocabulary:
        statistics = measure_texts(train.x, train.y, words=len(dataset.vocabulary.words))
        if train.sentences is None:
            return statistics
        fitted = fit_sentence_weights(train.sentences.tolist(), train.y, words=dataset.vocabulary.words)
        return replace(statistics, sentence_weights=tuple(fitted.words.tolist()), sentence_bias=fitted.bias)
    measure = measure_table if dataset.columns else measure_images
    statistics = measure(train.x, classes=classes)
    return with_targets(statistics, train.y) if train.y.ndim == 2 else statistics


def _record(
    recipe: Recipe, dataset: Dataset, settings: dict[str, Any], *, epochs: int, seconds: float
) -> RunRecord:
    return RunRecord(
        recipe=recipe.name,
        settings=settings,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        splits=dataset.splits,
        labels=dataset.labels,
        epochs=epochs,
        seed=settings["seed"],
        seconds=seconds,
        machine=describe_machine(),
        versions={name: version(name) for name in ("keras", keras.backend.backend(), "tf2onnx")},
    )


def _initialised_build(folder: Path, recipe: Recipe) -> tuple[Run, Build]:
    """Return a run, and a function that builds the recipe's network with that run's weights."""
    if recipe.pretrained:
        raise RunError(f"{recipe.name}: has pretrained weights; leave out --init-from")
    initial = load_run(folder)

    def build(network: Network) -> keras.Model:
        model = recipe.build(network)
        try:
            copy_weights(initial.model, model)
        except ValueError as error:
            raise RunError(
                f"{folder}: is a run of {initial.record.recipe}, whose network differs from that of "
                f"{recipe.name}; name a run of {recipe.init_from or 'the same network'}"
            ) from error
        return model

    return initial, build
