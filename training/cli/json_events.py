"""Defines the option ``--progress json``, with which other programs follow the progress of a command."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from service.inference.errors import LecternError

if TYPE_CHECKING:
    from training.reporting.json_progress import Controls, EventWriter

progress_option = click.option(
    "--progress",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Print the progress for people, or as JSON lines for programs.",
)


@contextmanager
def json_events(progress: str) -> Iterator["EventWriter | None"]:
    """Write events to standard output; an error that ends the command is an event too.

    Args:
        progress: Value of the option.

    Yields:
        The writer; None unless the option is ``json``.
    """
    if progress != "json":
        yield None
        return
    from service.inference.training_events import TrainingFailed
    from training.reporting.json_progress import EventWriter

    writer = EventWriter(sys.stdout)
    try:
        yield writer
    except LecternError as error:
        writer.write(TrainingFailed(code=error.code, message=str(error)))
        raise


def standard_controls() -> "Controls":
    """Return controls that follow standard input."""
    from training.reporting.json_progress import Controls

    try:
        return Controls(sys.stdin.fileno())
    except (AttributeError, ValueError, io.UnsupportedOperation):  # closed, or not a file
        return Controls(None)
