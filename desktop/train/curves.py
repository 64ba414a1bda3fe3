"""The curves of a training run, beside those of an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtWidgets import QLabel, QWidget

from desktop import theme
from desktop.lab.maps.plot import Mark, Plot, Series
from desktop.train.run_record import overfits_from
from desktop.widgets import column
from service.inference.training_events import EpochFinished, StepFinished

# Numbers of colours of a plot.
_TRAINING, _VALIDATION = 4, 0


@dataclass(frozen=True)
class NamedRun:
    """The epochs of a run, and its name."""

    name: str
    rows: tuple[EpochFinished, ...]


class TrainingCurves(QWidget):
    """Shows loss and accuracy of training and validation by epoch, and marks overfitting."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = Plot(self.tr("Loss by epoch"), self, legend_right=True)
        self.accuracy = Plot(self.tr("Accuracy by epoch"), self)
        self.verdict = QLabel(self)
        self.verdict.setWordWrap(True)
        self._rows: tuple[EpochFinished, ...] = ()
        self._step: StepFinished | None = None
        self._earlier: NamedRun | None = None
        self._epochs = 1
        column(
            QLabel(self.tr("Loss"), self),
            (self.loss, 1),
            QLabel(self.tr("Accuracy"), self),
            (self.accuracy, 1),
            self.verdict,
            parent=self,
            spacing=4,
        )

    def show_run(
        self, rows: Sequence[EpochFinished], *, epochs: int, step: StepFinished | None = None
    ) -> None:
        """Show a run.

        Args:
            rows: Its finished epochs.
            epochs: Number of epochs that it will have.
            step: The last step of the unfinished epoch; None for none.
        """
        self._rows, self._epochs, self._step = tuple(rows), max(epochs, len(rows), 1), step
        self._draw()

    def compare(self, run: NamedRun | None) -> None:
        """Show an earlier run with dashed lines; None for none."""
        self._earlier = run
        self._draw()

    def _draw(self) -> None:
        longest = max(self._epochs, len(self._earlier.rows) if self._earlier else 0)
        for plot, kind in ((self.loss, "loss"), (self.accuracy, "accuracy")):
            series = [
                *self._series(self._rows, kind, Mark.LINE, self._step),
                *(self._series(self._earlier.rows, kind, Mark.DASHES, None) if self._earlier else ()),
            ]
            top = (
                1.0 if kind == "accuracy" else max((one.y.max() for one in series if len(one.y)), default=1.0)
            )
            plot.show_series(series, x_range=(0.0, float(longest)), y_range=(0.0, float(top)))
        start = overfits_from(self._rows)
        span = None if start is None else (float(start), float(self._rows[-1].number))
        self.loss.set_span(span)
        self.accuracy.set_span(span)
        self._show_verdict(start)

    def _series(
        self, rows: Sequence[EpochFinished], kind: str, mark: Mark, step: StepFinished | None
    ) -> tuple[Series, Series]:
        """Return the curves of training and validation."""
        x = np.arange(1, len(rows) + 1, dtype=np.float32)
        training = np.array([getattr(row, kind) for row in rows], dtype=np.float32)
        validation = np.array([getattr(row, f"validation_{kind}") for row in rows], dtype=np.float32)
        live = x
        if step is not None and len(rows) < step.epoch:
            live = np.append(x, np.float32(step.epoch - 1 + step.step / step.steps))
            training = np.append(training, np.float32(getattr(step, kind)))
        first = mark is Mark.LINE
        names = (self.tr("Training"), self.tr("Validation"))
        if kind == "accuracy":  # The colours are explained beside the loss.
            names = ("", "")
        elif not first and self._earlier is not None:
            names = ("", self._earlier.name)
        return (
            Series(live, training, mark, _TRAINING, names[0]),
            Series(x, validation, mark, _VALIDATION, names[1]),
        )

    def _show_verdict(self, start: int | None) -> None:
        self.verdict.setPalette(theme.text_palette("ink" if start is None else "doubt-text", self.palette()))
        if start is not None:
            text = self.tr(
                "Overfitting since epoch {0}: the validation loss rises while the training loss falls."
            )
            self.verdict.setText(text.format(start))
        elif self._rows:
            last = self._rows[-1]
            text = self.tr("Epoch {0}: validation accuracy {1} %")
            percent = self.locale().toString(last.validation_accuracy * 100, "f", 1)
            self.verdict.setText(text.format(len(self._rows), percent))
        else:
            self.verdict.clear()
