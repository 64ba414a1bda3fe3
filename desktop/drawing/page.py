"""Owns the page with the pad and its tools."""

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QHideEvent, QImage, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from desktop.drawing.pad import Pad
from desktop.drawing.strokes import BROADEST_BRUSH, DEFAULT_BRUSH, SLIMMEST_BRUSH, Stroke
from desktop.prediction.reader import Value
from desktop.settings import Order
from desktop.window.page import Page
from service.client import ModelSummary

_DIGITS = tuple("0123456789")
_MARGIN = 16


class DrawPage(Page):
    """The pad, brush and eraser, undo, redo, clear."""

    key = "draw"
    order = Order.LABELS

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = Pad(self)
        self.undo = self._action(self.tr("&Undo"), QKeySequence.StandardKey.Undo, self.pad.undo)
        self.redo = self._action(self.tr("&Redo"), QKeySequence.StandardKey.Redo, self.pad.redo)
        self.erase = QAction(self.tr("&Eraser"), self)
        self.erase.setCheckable(True)
        self.erase.setShortcut(QKeySequence("E"))
        self.erase.setToolTip(self.tr("Take ink away (E)"))
        self.erase.toggled.connect(self._erase)
        self.empty = QAction(self.tr("&Clear"), self)
        self.empty.triggered.connect(self.clear)
        self.brush = QSlider(Qt.Orientation.Horizontal, self)
        self.brush.setRange(round(SLIMMEST_BRUSH * 100), round(BROADEST_BRUSH * 100))
        self.brush.setValue(round(DEFAULT_BRUSH * 100))
        self.brush.setMinimumWidth(60)
        self.brush.setMaximumWidth(160)
        self.brush.setAccessibleName(self.tr("Brush size, in percent of a digit's usual height"))
        self.brush.valueChanged.connect(self._brush)
        self._size = QLabel(self)
        self._size.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        self._lay_out()
        self.pad.changed.connect(self.changed)
        self.pad.settled.connect(self.settled)
        self.pad.undo_stack.indexChanged.connect(self._enable)
        self._enable()
        self._brush(self.brush.value())

    def title(self) -> str:
        """Return the name on the page's tab."""
        return self.tr("Draw")

    def placeholder(self) -> str:
        """Return the sentence that stands where the result will be."""
        return self.tr("Draw a digit")

    def accepts(self, model: ModelSummary) -> bool:
        """Take models of digits."""
        return model.labels == _DIGITS

    def value(self) -> Value | None:
        """Return the drawing, or None for a blank pad."""
        return None if self.pad.is_blank else self.pad.picture

    def snapshot(self) -> object:
        """Return the strokes."""
        return self.pad.strokes

    def restore(self, snapshot: object) -> None:
        """Show strokes again; can be undone."""
        self.sitting += 1
        with QSignalBlocker(self):
            self.pad.show_strokes(cast("tuple[Stroke, ...]", snapshot))

    def picture(self) -> QImage:
        """Return the drawing; a null picture for a blank pad."""
        return QImage() if self.pad.is_blank else self.pad.picture

    def thumbnail(self) -> QImage:
        """Return the drawing."""
        return self.pad.picture

    def clear(self) -> None:
        """Take a new page."""
        self.sitting += 1
        self.pad.clear()

    def brush_size(self) -> float:
        """Return the brush's width as a share of a digit's usual height."""
        return self.brush.value() / 100

    def set_brush_size(self, size: float) -> None:
        """Take another brush; the share is rounded to whole percents."""
        self.brush.setValue(round(size * 100))

    def showEvent(self, event: QShowEvent) -> None:
        """Let the keys work."""
        super().showEvent(event)
        self._enable()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep the keys from changing a drawing that nobody sees."""
        super().hideEvent(event)
        self._enable()

    def _enable(self) -> None:
        seen, stack = self.isVisible(), self.pad.undo_stack
        self.undo.setEnabled(seen and stack.canUndo())
        self.redo.setEnabled(seen and stack.canRedo())
        self.erase.setEnabled(seen)

    def _action(self, text: str, keys: QKeySequence.StandardKey, slot: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setShortcuts(QKeySequence.keyBindings(keys))
        action.triggered.connect(slot)
        return action

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(8)
        label = QLabel(self.tr("&Brush"), self)
        label.setBuddy(self.brush)
        for part in (label, self.brush, self._size):
            tools.addWidget(part)
        tools.addStretch(1)
        for action in (self.erase, self.undo, self.redo, self.empty):
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            tools.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(12)
        column.addWidget(self.pad, 1)
        column.addLayout(tools)

    def _brush(self, percent: int) -> None:
        self.pad.brush = percent / 100
        self._size.setText(f"{percent} %")

    def _erase(self, erases: bool) -> None:
        self.pad.erases = erases
