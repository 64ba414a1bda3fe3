"""Defines the option ``--progress json``, with which other programs follow the progress of a command."""

import contextlib
import functools
import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.inference.errors import LecternError
from service.inference.files import output_error

if TYPE_CHECKING:
    from training.reporting.json_progress import Controls, EventWriter

Command = TypeVar("Command", bound=Callable[..., Any])

progress_option = click.option(
    "--progress",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Print the progress for people, or as JSON lines for programs.",
)


def with_error_events(command: Command) -> Command:
    """Make an error that ends a command with ``--progress json`` an event too."""

    @functools.wraps(command)
    def call(*arguments: Any, progress: str, **options: Any) -> Any:
        try:
            return command(*arguments, progress=progress, **options)
        except (LecternError, OSError) as error:
            if progress == "json":
                _write_error(output_error(error) if isinstance(error, OSError) else error)
            raise

    return call  # type: ignore[return-value]


def event_writer(progress: str) -> "EventWriter | None":
    """Return a writer of events to standard output, after Keras is loaded; None unless they are wanted."""
    if progress != "json":
        return None
    from training.reporting.json_progress import EventWriter

    return EventWriter(sys.stdout)


def standard_controls() -> "Controls":
    """Return controls that follow standard input."""
    from training.reporting.json_progress import Controls

    try:
        return Controls(sys.stdin.fileno())
    except (AttributeError, ValueError, io.UnsupportedOperation):  # closed, or not a file
        return Controls(None)


def _write_error(error: LecternError) -> None:
    from service.inference.training_events import TrainingFailed, encode_event

    with contextlib.suppress(OSError):  # nobody reads any more
        print(encode_event(TrainingFailed(code=error.code, message=str(error))), flush=True)
