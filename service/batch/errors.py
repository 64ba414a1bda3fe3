"""Defines the error classes of batch prediction."""

import errno

from service.inference.errors import InputError, LecternError


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
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free space" if full else "check the path and its permissions"
    cause = error.strerror or error
    return BatchError(
        f"{error.filename or folder}: cannot be read or written ({cause}); {remedy}, then --resume goes on"
    )
