"""Defines the errors of training, evaluation and export.

LecternError
└── TrainingError
    ├── DatasetError      a data set cannot be found, fetched or read
    ├── RecipeError       no such recipe, or hyperparameters that it cannot use
    ├── RunError          a training run is missing, unfinished or not the expected one
    └── ExportError       the exported network differs from the trained one; nothing was written
"""

from service.inference.errors import LecternError


class TrainingError(LecternError):
    """Training, evaluation or export cannot continue."""

    code = "training_error"


class DatasetError(TrainingError):
    """A data set cannot be found, fetched or read."""

    code = "dataset_error"


class RecipeError(TrainingError):
    """There is no such recipe, or it cannot use its hyperparameters."""

    code = "recipe_error"


class RunError(TrainingError):
    """A training run is missing, unfinished or not the expected one."""

    code = "run_error"


class ExportError(TrainingError):
    """The exported network differs from the trained one; nothing was written."""

    code = "export_error"
