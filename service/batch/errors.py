"""Defines the error classes of batch prediction."""

from service.inference.errors import InputError, LecternError
from service.inference.files import output_error


class BatchError(LecternError):
    """A batch cannot begin or go on."""

    code = "batch_error"


class SourceError(BatchError):
    """A source cannot be read, or has no inputs."""

    code = "source_error"


class FolderInUse(BatchError):
    """The output folder has another batch, or files of something else."""

    code = "folder_in_use"


class TooManyErrors(BatchError):
    """More inputs fail than ``--max-errors`` allows, or a shard ends its process every time."""

    code = "too_many_errors"


class UnreadableInput(InputError):
    """An input of the batch is missing, or cannot be read."""

    code = "unreadable"


def not_written(error: OSError, folder: object) -> BatchError:
    """Return the error for results that cannot be written, or a list of inputs that cannot be read.

    Args:
        error: Of the operating system.
        folder: The folder of the results, if the error names no file.
    """
    return BatchError(f"{output_error(error, default=folder)}; then --resume goes on")
