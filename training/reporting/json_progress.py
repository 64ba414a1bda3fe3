"""Writes the progress of a training as JSON lines, and follows the commands on standard input."""

import os
import threading
import time
from typing import IO, TYPE_CHECKING, Self

import msgspec

from service.inference.training_events import (
    Downloading,
    EpochFinished,
    PicturesRead,
    StepFinished,
    TrainingContinued,
    TrainingEvent,
    TrainingPaused,
    TrainingStarted,
    TrainingStopped,
    encode_event,
)
from training.datasets import Dataset
from training.networks.first_layer import first_filters
from training.recipes.recipe import Recipe
from training.reporting.watched_input import WatchedInput

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from training.fit.run import Epoch

# More reports a second would help nobody, and would delay the training.
_STEP_INTERVAL_S = 0.1
_CHUNK = 4096


class EventWriter:
    """Writes events to a stream at once, one a line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, event: TrainingEvent) -> None:
        """Write an event."""
        self._stream.write(encode_event(event) + "\n")
        self._stream.flush()

    def download(self, received: int, total: int | None) -> None:
        """Write how many bytes of a data set have been downloaded."""
        self.write(Downloading(received=received, total=total))


class Controls:
    """Follows the lines ``pause``, ``continue`` and ``stop``, and ignores all others.

    Attributes:
        stopped: Whether ``stop`` was read.
    """

    def __init__(self, descriptor: int | None) -> None:
        """Start to read.

        Args:
            descriptor: File descriptor of the input; None for none.
        """
        self.stopped = False
        self._paused = False
        self._changed = threading.Condition()
        if descriptor is not None:
            threading.Thread(target=self._follow, args=[descriptor], name="controls", daemon=True).start()

    @property
    def paused(self) -> bool:
        """Whether the training has to wait."""
        return self._paused and not self.stopped

    def wait(self) -> None:
        """Wait while the training is paused."""
        with self._changed:
            self._changed.wait_for(lambda: not self.paused)

    def obey(self, line: str) -> None:
        """Follow a line."""
        with self._changed:
            self.stopped |= line == "stop"
            self._paused = {"pause": True, "continue": False}.get(line, self._paused)
            self._changed.notify_all()

    def _follow(self, descriptor: int) -> None:
        # Not sys.stdin: a thread that waits in it keeps the interpreter from ending.
        rest = b""
        while chunk := os.read(descriptor, _CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-_CHUNK:]
            for line in lines:
                self.obey(line.strip().decode(errors="replace"))


class JsonReporter:
    """Writes the progress of one run, and pauses or ends it as the controls say."""

    def __init__(
        self,
        writer: EventWriter,
        controls: Controls,
        *,
        recipe: Recipe,
        dataset: Dataset,
        folder: "Path",
        watched: WatchedInput | None = None,
    ) -> None:
        """Create the reporter.

        Args:
            writer: Writes the events.
            controls: Say when the training pauses or ends.
            recipe: The recipe that is trained.
            dataset: Its data.
            folder: Folder of the run.
            watched: The input to read after each epoch; None for none.
        """
        self._writer, self._controls = writer, controls
        self._recipe, self._dataset, self._folder = recipe, dataset, folder
        self._watched = watched
        self._earlier_stages = self._finished = 0  # epochs
        self._next_step_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def begin(self, model: "keras.Model", *, finished: int, epochs: int) -> None:
        """Describe the run, and show the network before its first epoch."""
        self._earlier_stages += self._finished
        self._finished = finished
        self._writer.write(
            TrainingStarted(
                recipe=self._recipe.name,
                dataset=self._dataset.name,
                labels=self._dataset.labels,
                splits=self._dataset.splits,
                parameters=model.count_params(),
                epochs=epochs,
                finished=finished,
                run=str(self._folder),
                measure=self._recipe.head.measure,
            )
        )
        self._show_network(model, epoch=finished)
        self._obey()

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Report a step, at most ten a second and the last one of each epoch."""
        if step == steps or time.monotonic() >= self._next_step_s:
            self._next_step_s = time.monotonic() + _STEP_INTERVAL_S
            self._writer.write(
                StepFinished(epoch=epoch, step=step, steps=steps, loss=loss, accuracy=accuracy)
            )
        self._obey()

    def epoch(self, row: "Epoch", *, epochs: int) -> None:
        """Report a finished epoch."""
        self._finished = row.number
        self._writer.write(msgspec.convert(row, EpochFinished, from_attributes=True))

    def network(self, model: "keras.Model", *, epoch: int) -> None:
        """Show the network after an epoch."""
        self._show_network(model, epoch=epoch)
        self._obey()

    def pictures(self, done: int, total: int, *, split: str) -> None:
        """Report pictures that have gone through a pretrained base."""
        self._writer.write(PicturesRead(done=done, total=total, split=split))
        self._obey()

    def _show_network(self, model: "keras.Model", *, epoch: int) -> None:
        filters = first_filters(model, epoch=epoch)
        if filters is not None:
            self._writer.write(filters)
        reading = None if self._watched is None else self._watched.read(model, epoch=epoch)
        if reading is not None:
            self._writer.write(reading)

    def _obey(self) -> None:
        if self._controls.paused:
            self._writer.write(TrainingPaused())
            self._controls.wait()
            if not self._controls.stopped:
                self._writer.write(TrainingContinued())
        if self._controls.stopped:
            self._writer.write(TrainingStopped(epochs=self._earlier_stages + self._finished))
            raise SystemExit(0)
