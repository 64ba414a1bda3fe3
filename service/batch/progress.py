"""Shows how far a batch is: a bar in a terminal, and a line now and then in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_LINE_EACH_S = 30.0


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show the progress of a batch on standard error.

    Args:
        total: Number of inputs.

    Yields:
        A function to call with the number of inputs that were finished.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(total).advance
        return
    columns = (TextColumn("{task.percentage:>3.0f}%"), BarColumn(), MofNCompleteColumn(), _Rate())
    with Progress(*columns, TimeRemainingColumn(), console=console) as shown:
        yield partial(shown.advance, shown.add_task("", total=total))


class _Rate(ProgressColumn):
    """Inputs a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class _Lines:
    """Prints a line every half a minute."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._next = time.monotonic() + _LINE_EACH_S

    def advance(self, inputs: int) -> None:
        self._done += inputs
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EACH_S
            click.echo(f"{self._done:,} of {self._total:,} inputs", err=True)
