"""Defines the errors of training, evaluation and export."""

from service.inference.errors import LecternError


class TrainingError(LecternError):
    """Training, evaluation or export cannot continue."""

    code = "training_error"


class DatasetError(TrainingError):
    """A data set cannot be found, fetched or read."""


class RecipeError(TrainingError):
    """There is no such recipe, or it cannot use its hyperparameters."""


class RunError(TrainingError):
    """A training run is missing, unfinished or not the expected one."""


class ExportError(TrainingError):
    """The exported network differs from the trained one; nothing was written."""
