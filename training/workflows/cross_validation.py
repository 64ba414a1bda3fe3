"""Runs K-fold cross-validation for ``lectern train --folds``."""

import statistics
from dataclasses import replace

from rich.console import Console

from training.datasets import Dataset
from training.datasets.dataset import concatenate, find_copies
from training.errors import RecipeError
from training.fit.inputs import make_folds
from training.fit.run_folder import VOCABULARY
from training.fit.train import train
from training.recipes.recipe import Recipe
from training.workflows.training_job import TrainingJob, prepared_folder, resumable


def run_folds(job: TrainingJob, recipe: Recipe, dataset: Dataset, console: Console) -> None:
    """Train on all folds but one, for each fold; print each result, their mean and their standard deviation.

    Args:
        job: Its folder is locked, and it has a number of folds.
        recipe: The configured recipe.
        dataset: Its data.
        console: Where to print.

    Raises:
        RecipeError: The number of folds is not possible, or the recipe continues another run, which has seen
            the held-out examples.
    """
    assert job.folds is not None, "the job is a cross-validation"
    if recipe.init_from:
        raise RecipeError(
            f"{recipe.name} continues a run of {recipe.init_from}, which has seen the examples that a "
            f"fold holds out; cross-validate {recipe.init_from} instead"
        )
    parts = divide_into_folds(dataset, folds=job.folds, seed=recipe.hyperparameters.seed)
    accuracies = []
    with prepared_folder(job, dataset), resumable(job, console):
        for number, fold in enumerate(parts, start=1):
            folder = job.folder / f"fold-{number}"
            run = train(recipe, dataset=fold, folder=folder, resume=job.resume)
            if dataset.vocabulary:
                dataset.vocabulary.write(folder / VOCABULARY)
            accuracies.append(run.final_epoch.validation_accuracy)
            measure = run.final_epoch.measure
            console.print(f"fold {number}/{job.folds}  validation {measure} {accuracies[-1]:.4f}")
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    console.print(f"mean {mean:.4f}, standard deviation {deviation:.4f} over {job.folds} folds")


def divide_into_folds(dataset: Dataset, *, folds: int, seed: int) -> list[Dataset]:
    """Divide a data set into folds; see :func:`make_folds`.

    Examples that the user added are training examples of every fold. No training example is a copy of an
    example that its fold holds out, if the data set has copies.

    Raises:
        RecipeError: The number of folds is not possible.
    """
    count = len(dataset.train) - dataset.extra
    own = replace(dataset, train=dataset.train.take(slice(count)), extra=0)
    parts = make_folds(own, folds=folds, seed=seed)
    if dataset.extra:
        added = dataset.train.take(slice(count, None))
        parts = [replace(part, train=concatenate([part.train, added]), extra=dataset.extra) for part in parts]
    return [_without_copies(part) for part in parts] if dataset.copies or dataset.extra else parts


def _without_copies(fold: Dataset) -> Dataset:
    """Leave out the training examples whose input is held out too."""
    kept = ~find_copies(fold.train, fold.validation)
    added = kept[len(kept) - fold.extra :]
    return replace(fold, train=fold.train.take(kept), extra=int(added.sum()))
