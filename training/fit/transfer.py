"""Trains on a pretrained base: the classifier first, then the top layers of the base as well."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import keras

from training.datasets import Dataset, Examples
from training.fit.base_activations import CachedInputs, cache_inputs
from training.fit.loop import Reporter, fit
from training.fit.run import Epoch, join_stages
from training.hyperparameters import Augmentation, Hyperparameters
from training.networks.pretrained import TransferNetwork, build_transfer, unfreeze
from training.recipes.recipe import Recipe


def train_transfer(
    recipe: Recipe,
    *,
    dataset: Dataset,
    folder: Path,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> tuple[keras.Model, tuple[Epoch, ...], float]:
    """Train a classifier on the frozen base, and in a second stage of the recipe the top of the base too.

    The lower part of the base never changes, and the upper part only in the second stage. The activations
    between them and the pooled features are therefore computed once and cached: for every training image and,
    with augmentation, for one randomly changed copy of it.

    Args:
        recipe: Has the hyperparameters of both stages.
        dataset: uint8 images (n, size, size, 3), of the recipe's size.
        folder: Folder of the checkpoints of both stages.
        resume: Continue an interrupted run.
        reporter: Receives the progress of epochs and steps.

    Returns:
        The trained network, its epochs, and the seconds spent besides them.
    """
    hyperparameters = recipe.hyperparameters
    keras.utils.set_random_seed(hyperparameters.seed)
    assert recipe.size is not None, "a recipe with a pretrained base says the size of its images"
    assert recipe.base_size is not None, "a recipe with a pretrained base says the size of the base's images"
    network = build_transfer(
        hyperparameters, classes=len(dataset.labels), size=recipe.size, base_size=recipe.base_size
    )
    train, validation = cache_inputs(
        network,
        dataset,
        needs_activations=recipe.fine_tuning is not None and recipe.fine_tuning.unfreeze != "all",
        hyperparameters=hyperparameters,
        reporter=reporter,
    )
    stage = partial(fit, resume=resume, reporter=reporter)
    head, history = stage(
        lambda: network.head,
        train=train.features,
        validation=validation.features,
        hyperparameters=replace(hyperparameters, augmentation=Augmentation()),  # the copies are augmented
        folder=folder / "head",
    )
    network.head.set_weights(head.get_weights())
    if recipe.fine_tuning:
        tuned, splits, settings = _second_stage(recipe, network, dataset, (train, validation))
        trained, more = stage(
            lambda: tuned,
            train=splits[0],
            validation=splits[1],
            hyperparameters=settings,
            folder=folder / "fine-tuning",
        )
        # A resumed or best epoch's network is a copy; the full network shares weights with this one.
        tuned.set_weights(trained.get_weights())
        history = join_stages((history, more))
    return network.full, history, train.seconds + validation.seconds


def _second_stage(
    recipe: Recipe, network: TransferNetwork, dataset: Dataset, cached: tuple[CachedInputs, CachedInputs]
) -> tuple[keras.Model, tuple[Examples, Examples], Hyperparameters]:
    """Unfreeze layers of the base; return the network to fine-tune, its two splits, and its settings.

    The top is trained on cached activations. If all layers are trained, the network is trained on images,
    which are augmented as in the first stage.
    """
    settings = recipe.fine_tuning
    assert settings is not None, "a recipe without fine-tuning has one stage"
    part = settings.unfreeze or "top"
    unfreeze(network, part)
    if part == "all":
        augmentation = recipe.hyperparameters.augmentation
        return network.full, (dataset.train, dataset.validation), replace(settings, augmentation=augmentation)
    train, validation = (inputs.activations for inputs in cached)
    assert train is not None, "activations are stored for fine-tuning"
    assert validation is not None, "activations are stored for fine-tuning"
    return network.fine_tuning, (train, validation), settings
