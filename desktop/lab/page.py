"""Owns the convolution lab: what one filter makes of a drawing or a picture, and of which size."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.explain.explanations import Explanations
from desktop.lab.convolution import ROUNDING, DoesNotFit, Outcome, apply, grey_levels, origin, products
from desktop.lab.kernel_editor import KernelEditor
from desktop.lab.operation_form import LabSettings
from desktop.lab.pixel_view import PixelView
from desktop.lab.source import LabSource, Material
from desktop.pictures.dropped_files import DroppedFile
from desktop.prediction.throttle import Throttle
from desktop.prediction.worker import Worker
from desktop.window.messages import error_message
from service.inference import LecternError
from service.inference.errors import BlankImage

_MARGIN, _SPACE = 16, 20
_PACE_MS = 50
_SETTINGS_WIDTH = 268
# Sides of larger kernels make sums that are too long to be read.
_LARGEST_SUM = 3


@dataclass(frozen=True, eq=False)
class _Fetched:
    """Material, and how many times it had been another one before."""

    sitting: int
    material: Material


class Lab(QWidget):
    """Source, kernel and settings to the left; what goes in, the formula and what comes out to the right."""

    def __init__(self, explanations: Explanations, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = LabSource(self)
        self.editor = KernelEditor(explanations, self)
        self.settings = LabSettings(self)
        self.before = PixelView(self.tr("Input"), self)
        self.after = PixelView(self.tr("Output"), self, points=True)
        self.formula = QLabel(self)
        self.range = QLabel(self)
        self.sum = QLabel(self)
        self._material: Material | None = None
        self._shown: Material | None = None
        self._outcome: Outcome | None = None
        self._offered: bytes | None = None
        self._sitting = 0
        self._throttle = Throttle(_PACE_MS, self)
        self._throttle.triggered.connect(self._compute)
        self._worker = Worker("convolves", self)
        self._worker.result_ready.connect(self._take)
        self._worker.failed.connect(self._refuse)
        self._lay_out()
        self.source.changed.connect(self._renew)
        self.editor.changed.connect(self._throttle.trigger)
        self.settings.changed.connect(self._throttle.trigger)
        self.after.pointed.connect(self._point)
        self._empty(self.source.placeholder())

    @property
    def outcome(self) -> Outcome | None:
        """What came out last; None if there is nothing to work on, or a kernel that does not fit."""
        return self._outcome

    def title(self) -> str:
        """Return the name on the page's tab."""
        return self.tr("Convolution")

    def offer(self, picture: bytes) -> None:
        """Have a picture file at hand; one that was the last to be offered changes nothing."""
        if picture is not self._offered:
            self._offered = picture
            self.source.take(DroppedFile("", picture))

    def take(self, parcel: DroppedFile) -> None:
        """Work on a picture that came in."""
        self.source.take(parcel)
        self.source.turn_to_picture()

    def close_workers(self) -> None:
        """Stop the threads."""
        self._throttle.stop()
        self._worker.close()
        self.editor.close_workers()

    def showEvent(self, event: QShowEvent) -> None:
        """Look which networks there are by now."""
        super().showEvent(event)
        self.editor.look_for_networks()

    def event(self, event: QEvent) -> bool:
        """Keep the keys of undo and redo, which the window has for the other pad, to this one."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and _steps(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and redo strokes."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.source.pad.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.source.pad.redo()
        else:
            super().keyPressEvent(event)

    def _renew(self) -> None:
        self._sitting += 1
        self._material = None
        self._throttle.trigger()

    def _compute(self) -> None:
        fetch, kernel = self.source.fetch(), self.editor.kernel
        if fetch is None or kernel is None:
            self._worker.cancel()
            if fetch is None:
                self._empty(self.source.placeholder())
            else:
                self._refuse_output(self.tr("Without a kernel nothing comes out."))
            return
        sitting, at_hand, operation = self._sitting, self._material, self.settings.operation(kernel)

        def job() -> Iterator[object]:
            material = fetch() if at_hand is None else at_hand
            yield _Fetched(sitting, material)
            yield apply(operation, material.pixels)

        self._worker.put(job)

    @Slot(object)
    def _take(self, came: _Fetched | Outcome) -> None:
        if isinstance(came, Outcome):
            self._show(came)
            return
        if came.material is not self._shown:
            self._shown = came.material
            self.before.show_pixels(came.material.pixels)
            self.source.show_material(came.material)
        # While a stroke is being drawn, what comes is already outdated: seen it should be, kept it must not.
        if came.sitting == self._sitting:
            self._material = came.material

    @Slot(object)
    def _refuse(self, error: LecternError) -> None:
        if isinstance(error, DoesNotFit):
            self._refuse_output(self.tr("This does not fit: take a smaller window or more padding."))
        elif isinstance(error, BlankImage):
            self._empty(self.source.placeholder())
        else:
            self._empty(error_message(error))

    def _show(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.after.show_pixels(grey_levels(outcome.values))
        lines = [f"O = {step.formula()}" for step in outcome.steps]
        if len(lines) > 1:
            lines = [self.tr("Convolution: {0}").format(lines[0]), self.tr("Pooling: {0}").format(lines[1])]
        self.formula.setText("\n".join(lines))
        self._point(self.after.spot)

    def _tell_range(self, outcome: Outcome) -> None:
        low, high = float(outcome.values.min()), float(outcome.values.max())
        words = (
            self.tr("{0} × {1} values from {2} to {3}; grey is 0")
            if low < -ROUNDING
            else self.tr("{0} × {1} values from {2} to {3}; black is 0")
        )
        height, width = outcome.values.shape
        self.range.setText(words.format(width, height, self._number(low), self._number(high)))

    @Slot(object)
    def _point(self, spot: QPoint | None) -> None:
        outcome = self._outcome
        if outcome is None:
            return
        if spot is None:
            self.before.frame(QRect())
            self._tell_range(outcome)
            self.sum.setText("")
            return
        top, left, side = origin(outcome.steps, spot.y(), spot.x())
        self.before.frame(QRect(left, top, side, side))
        value = self._number(float(outcome.values[spot.y(), spot.x()]))
        words = self.tr("Row {0}, column {1}: {2}, out of {3} × {3} pixels")
        self.range.setText(words.format(spot.y() + 1, spot.x() + 1, value, side))
        self._write_sum(outcome, top=top, left=left, value=value)

    def _write_sum(self, outcome: Outcome, *, top: int, left: int, value: str) -> None:
        """Write out how a value comes about, where that fits."""
        operation, material = outcome.operation, self._shown
        if material is None or operation.pooling is not None or len(operation.kernel) > _LARGEST_SUM:
            self.sum.setText("")
            return
        lines = products(material.pixels, operation.kernel, top=top, left=left)
        last = self.tr("ReLU of this is {0}") if operation.rectified else self.tr("The sum is {0}")
        self.sum.setText("\n".join([*lines, last.format(value)]))

    def _number(self, value: float) -> str:
        rounded = round(value, 1)
        return self.locale().toString(rounded + 0.0, "f", 0 if rounded.is_integer() else 1)

    def _empty(self, words: str) -> None:
        self._material = self._shown = None
        self.before.show_placeholder(words)
        self._refuse_output("")

    def _refuse_output(self, words: str) -> None:
        self._outcome = None
        self.after.show_placeholder(words)
        self.before.frame(QRect())
        self.sum.setText("")
        self.formula.setText("O = (I − K + 2P) / S + 1")
        self.range.setText("")

    def _lay_out(self) -> None:
        middle = QWidget(self)
        middle.setFixedWidth(_SETTINGS_WIDTH)
        settings = QVBoxLayout(middle)
        settings.setContentsMargins(0, 0, 0, 0)
        settings.setSpacing(_MARGIN)
        settings.addWidget(self.editor)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setForegroundRole(line.palette().ColorRole.Midlight)
        settings.addWidget(line)
        settings.addWidget(self.settings)
        settings.addStretch(1)
        settings.addWidget(self.sum)
        for label in (self.formula, self.range, self.sum):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sum.setMinimumHeight(self.fontMetrics().lineSpacing() * (_LARGEST_SUM + 1))
        font = self.formula.font()
        font.setBold(True)
        self.formula.setFont(font)
        flow = QVBoxLayout()
        flow.setSpacing(8)
        flow.addWidget(self.before, 1)
        flow.addWidget(self.formula)
        flow.addWidget(self.after, 1)
        flow.addWidget(self.range)
        row = QHBoxLayout(self)
        row.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        row.setSpacing(_SPACE)
        row.addWidget(self.source, 1)
        row.addWidget(middle)
        row.addLayout(flow, 1)


def _steps(event: QKeyEvent) -> bool:
    keys = QKeySequence.StandardKey
    return event.matches(keys.Undo) or event.matches(keys.Redo)
