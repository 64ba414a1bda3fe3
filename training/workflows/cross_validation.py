"""Runs K-fold cross-validation for ``lectern train --folds``."""

import statistics

from rich.console import Console

from training.datasets import Dataset
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
    parts = make_folds(dataset, folds=job.folds, seed=recipe.hyperparameters.seed)
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
