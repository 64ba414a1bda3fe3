"""Owns the training branch of Lectern's tree of errors.

LecternError
└── TrainingError
    ├── DatasetError      a data set cannot be found, fetched or read
    ├── RecipeError       no such recipe, or settings that it cannot use
    ├── RunError          a training run is missing, unfinished or not the one asked for
    └── ExportError       the exported network is not the trained one; nothing was written
"""

from service.inference.errors import LecternError


class TrainingError(LecternError):
    """Training, evaluation or export cannot go on."""

    code = "training_error"


class DatasetError(TrainingError):
    """A data set cannot be found, fetched or read."""

    code = "dataset_error"


class RecipeError(TrainingError):
    """There is no such recipe, or its settings make no sense."""

    code = "recipe_error"


class RunError(TrainingError):
    """A training run is missing, unfinished or not the one that was asked for."""

    code = "run_error"


class ExportError(TrainingError):
    """The exported network is not the trained one; nothing was written."""

    code = "export_error"
