"""Provides the page with the drawing pad and its tools."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QHideEvent, QImage, QKeySequence, QShowEvent
from PySide6.QtWidgets import QLabel, QSlider, QToolButton, QWidget

from desktop.drawing.correction import CorrectionDialog
from desktop.drawing.pad import Pad
from desktop.drawing.replay import ReplayDialog
from desktop.drawing.strokes import MAX_BRUSH, MIN_BRUSH, Stroke, is_too_thick, thinner
from desktop.flow_layout import FlowLayout
from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import Origin, Value
from desktop.settings import SettingsStore
from desktop.widgets import PAGE_MARGIN, caption, column
from desktop.window.actions import create_action
from desktop.window.page import Page
from service.client import ModelSummary
from service.inference.reading.reading import ReadDigit

_DIGITS = tuple("0123456789")


class DrawPage(Page):
    """The pad with brush, eraser, undo, redo, clear, replay and correction."""

    key = "draw"
    correct: QAction

    def __init__(
        self,
        controller: PredictionController,
        store: SettingsStore,
        parent: QWidget | None = None,
        *,
        reads_drawings: Callable[[str], bool] = lambda name: False,
    ) -> None:
        """Build the page.

        Args:
            controller: Predicts the drawing.
            store: Holds the brush and the folder of the corrections.
            parent: Parent widget.
            reads_drawings: Whether a model, given by its name, reads drawings of other things than digits.
        """
        super().__init__(parent)
        self._reads_drawings = reads_drawings
        self.title = self.tr("Draw")
        self.placeholder = self.tr("Draw a digit")
        self._controller = controller
        self._store = store
        self.order = store.settings.order
        self.pad = Pad(self)
        self._create_actions()
        self._create_brush()
        self._lay_out()
        self.pad.changed.connect(self.changed)
        self.pad.settled.connect(self._draw_again)
        self.pad.settled.connect(self.settled)
        self.pad.canvas.undo_stack.indexChanged.connect(self._enable_actions)
        self.pad.canvas.undo_stack.indexChanged.connect(self._check_lines)
        self._enable_actions()
        self.brush.setValue(round(store.settings.brush * 100))
        self._set_brush(self.brush.value())

    def accepts(self, model: ModelSummary) -> bool:
        """Accept models of digits, and those that the user has taught with drawings."""
        return model.labels == _DIGITS or self._reads_drawings(model.name)

    def value(self) -> Value | None:
        """Return the drawing; None for a blank pad."""
        return None if self.pad.is_blank else self.pad.picture

    def origin(self) -> Origin | None:
        """Return None after erasing: what is left is not worth an entry until something is drawn.

        What is drawn then is another document, so that the drawing from before stays in the history.
        """
        strokes = self.pad.strokes
        if strokes and strokes[-1].erases:
            return None
        erased = sum(stroke.erases for stroke in strokes)
        return Origin(self.key, (self.document_id, erased), strokes, self.thumbnail())

    def snapshot(self) -> object:
        """Return the strokes."""
        return self.pad.strokes

    def restore(self, snapshot: object) -> None:
        """Show strokes again; can be undone."""
        self.document_id += 1
        with QSignalBlocker(self):
            self.pad.show_strokes(cast("tuple[Stroke, ...]", snapshot))

    def picture(self) -> QImage:
        """Return the drawing; a null image for a blank pad."""
        return QImage() if self.pad.is_blank else self.pad.picture

    def thumbnail(self) -> QImage:
        """Return the part of the drawing that has ink, with a margin."""
        return ink_thumbnail(self.pad.picture)

    def projection(self) -> QImage:
        """Return the drawing, also while it is blank."""
        return self.pad.picture

    def clear(self) -> None:
        """Remove all strokes; can be undone."""
        self.document_id += 1
        self.erase.setChecked(False)
        self.pad.clear()

    def open_replay(self) -> None:
        """Replay the drawing with its predictions."""
        controller, strokes = self._controller, self.pad.strokes
        model = controller.model
        if model is None or not strokes or not self.isVisible():
            return
        predict = partial(controller.connection.dispatcher.predict, model.name, version=controller.version)
        ReplayDialog(strokes, model.labels, predict, self).open()

    def open_correction(self) -> None:
        """Ask for the drawing's true label, and save both for training."""
        model = self._controller.model
        if model is None or self.pad.is_blank or not self.isVisible():
            return
        labels = model.labels
        response = self._controller.response
        if response is not None:
            # The runner-up is the most likely correction; the prediction itself is the least likely one.
            best, *others = sorted(response.result.prediction.scores, key=lambda score: -score.score)
            labels = tuple(score.label for score in (*others, best))
        CorrectionDialog(png_of_drawing(self.pad.picture), labels, self._store, self).open()

    def showEvent(self, event: QShowEvent) -> None:
        """Enable the actions."""
        super().showEvent(event)
        self._enable_actions()

    def hideEvent(self, event: QHideEvent) -> None:
        """Disable the actions, so that their shortcuts do not change a hidden drawing."""
        super().hideEvent(event)
        self._enable_actions()

    def show_digits(self, digits: Sequence[ReadDigit]) -> None:
        """Show boxes around the digits of a number."""
        self.pad.show_digits(digits)

    def _create_actions(self) -> None:
        keys = QKeySequence.StandardKey
        self.undo = create_action(self, self.tr("&Undo"), self.pad.canvas.undo, keys.Undo)
        self.redo = create_action(self, self.tr("&Redo"), self.pad.canvas.redo, keys.Redo)
        self.erase = QAction(self.tr("&Eraser"), self)
        self.erase.setCheckable(True)
        self.erase.setShortcut(QKeySequence("E"))
        self.erase.setToolTip(self.tr("Erase ink (E)"))
        self.erase.toggled.connect(self.pad.set_erases)
        self.clear_action = create_action(self, self.tr("&Clear"), self.clear)
        self.replay = create_action(self, self.tr("&Replay the drawing…"), self.open_replay, "Ctrl+R")
        self.correct = create_action(self, self.tr("Correct the &label…"), self.open_correction, "Ctrl+T")

    def _create_brush(self) -> None:
        """Create the slider of the brush, its value as a text, and the way to thinner lines."""
        self.brush = QSlider(Qt.Orientation.Horizontal, self)
        self.brush.setRange(round(MIN_BRUSH * 100), round(MAX_BRUSH * 100))
        self.brush.setMinimumWidth(60)
        self.brush.setMaximumWidth(160)
        self.brush.setAccessibleName(self.tr("Brush size in percent of a digit's height"))
        self.brush.valueChanged.connect(self._set_brush)
        self._size = QLabel(self)
        self._size.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        self.redraw = QToolButton(self)
        self.redraw.setText(self.tr("Lines too thick: make them &thinner"))
        self.redraw.setToolTip(
            self.tr("Wide lines close the holes of a small digit, and the network misreads it.")
        )
        self.redraw.hide()
        self.redraw.clicked.connect(self._draw_thinner)

    def _enable_actions(self) -> None:
        visible, stack = self.isVisible(), self.pad.canvas.undo_stack
        self.undo.setEnabled(visible and stack.canUndo())
        self.redo.setEnabled(visible and stack.canRedo())
        self.erase.setEnabled(visible)
        drawn = visible and not self.pad.is_blank
        for action in (self.clear_action, self.replay, self.correct):
            action.setEnabled(drawn)

    def _draw_again(self) -> None:
        """Put the eraser away when there is nothing left to erase."""
        if self.pad.is_blank:
            self.erase.setChecked(False)

    def _check_lines(self) -> None:
        self.redraw.setVisible(is_too_thick(self.pad.strokes))

    def _draw_thinner(self) -> None:
        """Draw the same strokes with thinner lines, and go on with that brush."""
        strokes = thinner(self.pad.strokes)
        self.brush.setValue(round(min(stroke.brush for stroke in strokes) * 100))
        self.pad.show_strokes(strokes)

    def _set_brush(self, percent: int) -> None:
        self.pad.canvas.brush = percent / 100
        self._size.setText(f"{percent} %")

    def _lay_out(self) -> None:
        buttons = [QToolButton(self) for _ in range(4)]
        for button, action in zip(
            buttons, (self.erase, self.undo, self.redo, self.clear_action), strict=True
        ):
            button.setDefaultAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        FlowLayout(
            self.tools, (caption(self.tr("&Brush"), self.brush), self.brush, self._size, self.redraw), buttons
        )
        column((self.pad, 1), self.tools, parent=self, margin=PAGE_MARGIN, spacing=12)


def ink_thumbnail(picture: QImage) -> QImage:
    """Return the part of a drawing that has ink, with a margin; safe to call from any thread."""
    box = pillow_of(picture).getbbox()
    if box is None:
        return picture
    left, top, right, bottom = box
    side = max(right - left, bottom - top) * 5 // 4
    center_x, center_y = (left + right) // 2, (top + bottom) // 2
    # Outside of the canvas, the copy is black.
    return picture.copy(center_x - side // 2, center_y - side // 2, side, side)
