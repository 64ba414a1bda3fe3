"""Trains a network for ``lectern train``, and exports it if it is one of the user's own images."""

from pathlib import Path

from rich.console import Console

from service.inference.card import Card, Metrics
from service.inference.program import command
from service.inference.training_events import ModelExported, TrainingFinished
from training.datasets import Dataset
from training.fit.run import Run
from training.fit.train import train
from training.recipes.recipe import Recipe
from training.reporting.json_progress import Controls, JsonReporter
from training.reporting.printout import card_result, describe_accuracy
from training.reporting.progress import ConsoleReporter, TensorBoardReporter
from training.reporting.watched_input import WatchedInput
from training.workflows.cross_validation import run_folds
from training.workflows.export_job import ExportJob, check_target, export_runs
from training.workflows.hints import model_command, model_options, run_options, shown
from training.workflows.training_job import TrainingJob, begin, prepared_folder, resumable


def run_training(job: TrainingJob, *, console: Console) -> None:
    """Train, print the result, and export a network that was trained on the user's own images.

    Raises:
        RecipeError: The data cannot be divided into as many folds.
        RunError: Another training uses the folder, or it contains a run that the user wants to keep.
        ExportError: The model of the user's own images exists, with other labels.
    """
    with begin(job, console) as (job, recipe, dataset):
        if job.folds:
            run_folds(job, recipe, dataset, console)
            return
        if job.data:
            check_target(job.models, job.name or dataset.name, labels=dataset.labels)
        with (
            prepared_folder(job, dataset),
            resumable(job, console),
            _reporter(job, recipe, dataset, console) as reporter,
        ):
            run = train(
                recipe,
                dataset=dataset,
                folder=job.folder,
                init_from=job.init_from,
                resume=job.resume,
                reporter=reporter,
            )
        _report(run, job, console)
        if job.data:
            _export(job, recipe, dataset, console)
        else:
            named = run_options(job.folder, default=recipe.name)
            console.print(f"Next: {command('export', *job.words, *named, *model_options(job.models))}")


def _report(run: Run, job: TrainingJob, console: Console) -> None:
    """Print the result on the validation split, and write its event."""
    final = run.final_epoch
    console.print(
        f"{run.record.epochs} epochs in {run.record.seconds:.0f} s, validation {final.measure} "
        f"{final.validation_accuracy:.4f} (epoch {final.number})"
    )
    if job.events:
        job.events.write(
            TrainingFinished(
                epochs=run.record.epochs,
                seconds=run.record.seconds,
                best=final.number,
                validation_accuracy=final.validation_accuracy,
            )
        )


def _export(job: TrainingJob, recipe: Recipe, dataset: Dataset, console: Console) -> None:
    """Export a network of the user's own images, and print the command that tries it."""
    exported = export_runs(
        ExportJob(
            recipe=recipe.name,
            runs=[job.folder],
            models=job.models,
            name=job.name or dataset.name,
            data=job.data,
        ),
        recipe,
        dataset,
    )
    card = exported.card
    if job.events:
        job.events.write(exported_event(card, job.models))
    assert card.metrics is not None, "a network of the user's own images is a classifier"
    console.print(
        f"{shown(job.models / card.name / str(card.version))}: "
        f"{describe_accuracy(card.metrics, examples='test images')}"
    )
    version = [] if exported.is_default else ["--version", card.version]
    console.print(f"Try it: {model_command(job.models, 'predict', card.name, 'picture.jpg', *version)}")
    if exported.hint:
        console.print(exported.hint)


def exported_event(card: Card, models: Path) -> ModelExported:
    """Return the event of a version that was written into a folder of models."""
    result = card_result(card)
    measure, figure = ("accuracy", result.accuracy) if isinstance(result, Metrics) else ("R²", result.r2)
    return ModelExported(
        model=card.name,
        version=card.version,
        folder=str(models / card.name / str(card.version)),
        measure=measure,
        accuracy=figure,
        count=result.count,
    )


def _reporter(
    job: TrainingJob, recipe: Recipe, dataset: Dataset, console: Console
) -> ConsoleReporter | JsonReporter:
    if job.events:
        watched = WatchedInput(job.watch, recipe, dataset) if job.watch else None
        return JsonReporter(
            job.events,
            job.controls or Controls(None),
            recipe=recipe,
            dataset=dataset,
            folder=job.folder,
            watched=watched,
        )
    measure = recipe.head.measure
    if job.tensorboard:
        return TensorBoardReporter(console, folder=job.folder / "tensorboard", measure=measure)
    return ConsoleReporter(console, measure=measure)
