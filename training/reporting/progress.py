"""Shows the progress of a training: bars in a terminal, one line an epoch in a log file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    import keras

    from training.fit.run import Epoch


class ConsoleReporter(Progress):
    """Shows a bar for each epoch in a terminal, and prints a line at its end.

    Args:
        console: Shows the progress.
        measure: Name of the figure beside the loss.
    """

    def __init__(self, console: Console, *, measure: str = "accuracy") -> None:
        self._measure = measure
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def begin(self, model: "keras.Model", *, finished: int, epochs: int) -> None:
        """Show nothing: the command names the run."""

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Update the bar of the epoch."""
        self._show(f"epoch {epoch}", step, steps, note=f"loss {loss:.4f}  {self._measure} {accuracy:.4f}")

    def epoch(self, row: "Epoch", *, epochs: int) -> None:
        """Print the line of a finished epoch."""
        self._finish(
            f"epoch {row.number:3}/{epochs}  loss {row.loss:.4f}  {row.measure} {row.accuracy:.4f}  "
            f"validation loss {row.validation_loss:.4f}  {row.measure} {row.validation_accuracy:.4f}  "
            f"{row.seconds:.0f} s"
        )

    def network(self, model: "keras.Model", *, epoch: int) -> None:
        """Show nothing: a terminal has no pictures."""

    def pictures(self, done: int, total: int, *, split: str) -> None:
        """Update the bar of the pictures of a split whose features the frozen base has computed."""
        self._show(f"{split} pictures through the base", done, total)
        if done == total:
            self._finish(f"{total} {split} pictures through the frozen base")

    def _show(self, description: str, done: int, total: int, *, note: str = "") -> None:
        task = self.task_ids[0] if self.task_ids else self.add_task(description, total=total, note=note)
        self.update(task, completed=done, note=note)

    def _finish(self, line: str) -> None:
        for task in self.task_ids:
            self.remove_task(task)
        self.console.print(line, highlight=False, soft_wrap=True)


class TensorBoardReporter(ConsoleReporter):
    """Also writes loss and accuracy of each epoch for TensorBoard.

    Args:
        console: Shows the progress.
        folder: Folder of the event files, for ``tensorboard --logdir``.
        measure: As above.
    """

    def __init__(self, console: Console, *, folder: Path, measure: str = "accuracy") -> None:
        # Only this class needs TensorFlow; the backend of Keras may be another one.
        from tensorflow import summary

        super().__init__(console, measure=measure)
        self._summary = summary
        self._writers = [summary.create_file_writer(str(folder / name)) for name in ("train", "validation")]

    def epoch(self, row: "Epoch", *, epochs: int) -> None:
        """Write the scalars of a finished epoch, and print its line."""
        scalars = (row.loss, row.accuracy), (row.validation_loss, row.validation_accuracy)
        for writer, (loss, accuracy) in zip(self._writers, scalars, strict=True):
            with writer.as_default(step=row.number):
                self._summary.scalar("loss", loss)
                self._summary.scalar(row.measure, accuracy)
            writer.flush()
        super().epoch(row, epochs=epochs)


@contextmanager
def download_bar(console: Console) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar as soon as a download begins.

    Yields:
        A function to call with the number of bytes so far and, if known, the total.
    """
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(
        "downloading", *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:

        def show(done: int, total: int | None) -> None:
            task = bar.task_ids[0] if bar.task_ids else bar.add_task("", total=None)
            bar.update(task, completed=done, total=total)

        yield show
