"""Scales the type of the whole app, and all sizes that follow it."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from desktop.widgets import rescale_fonts

MIN_ZOOM, MAX_ZOOM = 0.8, 3.0
_STEPS = (MIN_ZOOM, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, MAX_ZOOM)
_BASE = "basePointSize"


def apply_zoom(factor: float) -> None:
    """Set the type of all widgets to a multiple of the system's size.

    Args:
        factor: :data:`MIN_ZOOM` to :data:`MAX_ZOOM`.
    """
    app = QApplication.instance()
    assert app is not None
    font = QApplication.font()
    base = app.property(_BASE)
    if base is None:
        base = font.pointSizeF()
        app.setProperty(_BASE, base)
    if font.pointSizeF() != base * factor:
        font.setPointSizeF(base * factor)
        QApplication.setFont(font)
        # The widgets take the font with this event, and their smallest sizes must be known at once.
        QApplication.sendPostedEvents(None, QEvent.Type.ApplicationFontChange)
        rescale_fonts()


def zoomed(pixels: int) -> int:
    """Return a length in pixels at the current zoom, for what does not follow the type by itself."""
    app = QApplication.instance()
    base = None if app is None else app.property(_BASE)
    return pixels if base is None else round(pixels * QApplication.font().pointSizeF() / base)


def larger(factor: float) -> float:
    """Return the next larger zoom; the same if there is none."""
    return next((step for step in _STEPS if step > factor), MAX_ZOOM)


def smaller(factor: float) -> float:
    """Return the next smaller zoom; the same if there is none."""
    return next((step for step in reversed(_STEPS) if step < factor), MIN_ZOOM)
