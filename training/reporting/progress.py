"""Shows the progress of a training: bars in a terminal, one line an epoch in a log file."""

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
    """Shows a bar for each epoch in a terminal, and prints a line at its end."""

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
        """Update the bar of the epoch."""
        note = f"loss {loss:.4f}  accuracy {accuracy:.4f}"
        self._update(f"epoch {epoch}", completed=step, total=steps, note=note)

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """Print the line of a finished epoch."""
        self._finish(
            f"epoch {row.number:3}/{epochs}  loss {row.loss:.4f}  accuracy {row.accuracy:.4f}  "
            f"validation loss {row.validation_loss:.4f}  accuracy {row.validation_accuracy:.4f}  "
            f"{row.seconds:.0f} s"
        )

    def pictures(self, done: int, total: int) -> None:
        """Update the bar of the pictures whose features the frozen base has computed."""
        self._update("pictures through the base", completed=done, total=total)
        if done == total:
            self._finish(f"{total} pictures through the frozen base")

    def _update(self, description: str, *, completed: int, total: int, note: str = "") -> None:
        if self._task is None:
            self._task = self._progress.add_task(description, total=total, note=note)
        self._progress.update(self._task, completed=completed, note=note)

    def _finish(self, line: str) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        self._console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def download_bar(console: Console) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar as soon as a download begins.

    Yields:
        A function to call with the number of bytes so far and, if known, the total.
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
