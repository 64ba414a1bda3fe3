"""Measures a finished run on its test set, without an export."""

from pathlib import Path

from service.inference.card import Metrics, RegressionMetrics
from training.datasets.dataset import as_served
from training.errors import RunError
from training.export.exporter import keras_output, measure_output, served_network
from training.fit.inputs import prepare_data
from training.fit.run import load_run
from training.fit.run_folder import read_vocabulary
from training.recipes import load_recipe, recipe_names
from training.workflows.folds import arguments_of


def measure_run(folder: Path) -> Metrics | RegressionMetrics:
    """Measure a run's network on the test split of its data.

    Args:
        folder: Folder of the run.

    Returns:
        The metrics of the network before its calibration.

    Raises:
        RunError: The run is not finished, or its data has changed.
        DatasetError: Its data cannot be loaded.
    """
    run = load_run(folder)
    if run.record.recipe not in recipe_names():
        raise RunError(
            f"{folder}: is a run of {run.record.recipe}, which is no recipe of Lectern; name its file with "
            "--recipe"
        )
    recipe, data = load_recipe(run.record.recipe), arguments_of(folder).get("data")
    words = read_vocabulary(folder)
    dataset = prepare_data(recipe, folder=Path(data) if data else None, vocabulary=words)
    before, now = (splits["train"] + splits["validation"] for splits in (run.record.splits, dataset.splits))
    if recipe.vocabulary and words is None and before != now:
        raise RunError(
            f"{folder}: an earlier version of Lectern trained the run, and did not store its vocabulary; "
            "train it again"
        )
    if run.record.dataset_sha256 != dataset.sha256:
        raise RunError(f"{folder}: the data of {dataset.name} has changed since the run; restore it")
    test = as_served(dataset.test, preprocessing=recipe.preprocessing)
    output = keras_output(served_network([run.model], recipe), test.x, recipe.head)
    return measure_output(output, test.y, dataset=dataset, recipe=recipe)
