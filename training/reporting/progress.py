"""Owns what a training says while it runs: bars in a terminal, lines in a log file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from training.fit.history import Epoch


class ConsoleReporter:
    """Shows a bar for each epoch in a terminal; a log file gets the line at its end only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "ConsoleReporter":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Move the bar of the epoch."""
        if self._task is None:
            self._task = self._progress.add_task(f"epoch {epoch}", total=steps, note="")
        self._progress.update(self._task, completed=step, note=f"loss {loss:.4f}  accuracy {accuracy:.4f}")

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """Write the line of a finished epoch."""
        self._close()
        self._console.print(
            f"epoch {row.number:3}/{epochs}  loss {row.loss:.4f}  accuracy {row.accuracy:.4f}  "
            f"validation loss {row.validation_loss:.4f}  accuracy {row.validation_accuracy:.4f}  "
            f"{row.seconds:.0f} s",
            highlight=False,
            soft_wrap=True,
        )

    def pictures(self, done: int, total: int) -> None:
        """Move the bar of pictures that go through the frozen base."""
        if self._task is None:
            self._task = self._progress.add_task("pictures through the base", total=total, note="")
        self._progress.update(self._task, completed=done)
        if done == total:
            self._close()
            self._console.print(f"{total} pictures through the frozen base", highlight=False, soft_wrap=True)

    def _close(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None


@contextmanager
def download_bar(console: Console) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar for a download, once there is one.

    Yields:
        What the download tells of the bytes that are there and, where it is known, of their final number.
    """
    columns = (
        TextColumn("downloading"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:

        def show(done: int, total: int | None) -> None:
            task = bar.task_ids[0] if bar.task_ids else bar.add_task("", total=None)
            bar.update(task, completed=done, total=total)

        yield show
