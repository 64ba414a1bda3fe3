"""Runs K-fold cross-validation for ``lectern train --folds``."""

import statistics

from rich.console import Console

from training.errors import RecipeError
from training.fit.inputs import make_folds
from training.fit.train import train
from training.workflows.training_job import TrainingJob, begin, resumable


def run_folds(job: TrainingJob, *, folds: int, console: Console) -> None:
    """Train on all folds but one, for each fold; print each result, their mean and their standard deviation.

    Raises:
        RecipeError: The number of folds is not possible, or the recipe continues another run, which has seen
            the held-out examples.
        RunError: Another training uses the folder, or it contains a run that the user wants to keep.
    """
    with begin(job, console) as (job, recipe, dataset), resumable(job, console, "--folds", str(folds)):
        if recipe.init_from:
            raise RecipeError(
                f"{recipe.name} continues a run of {recipe.init_from}, which has seen the examples that a "
                f"fold holds out; cross-validate {recipe.init_from} instead"
            )
        accuracies = []
        parts = make_folds(dataset, folds=folds, seed=recipe.hyperparameters.seed)
        for number, fold in enumerate(parts, start=1):
            run = train(recipe, dataset=fold, folder=job.folder / f"fold-{number}", resume=job.resume)
            accuracies.append(run.final_epoch.validation_accuracy)
            measure = run.final_epoch.measure
            console.print(f"fold {number}/{folds}  validation {measure} {accuracies[-1]:.4f}")
        mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
        console.print(f"mean {mean:.4f}, standard deviation {deviation:.4f} over {folds} folds")
