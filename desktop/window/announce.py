"""Owns speaking to people who do not see the window."""

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget


def announce(speaker: QWidget, text: str) -> None:
    """Have a screen reader say something, if there is one.

    Args:
        speaker: The widget that the text is about.
        text: A short sentence.
    """
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(speaker, text))
