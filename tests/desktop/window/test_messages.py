"""Texts that users see."""

import pytest
from PySide6.QtCore import QLocale

from desktop.window.messages import error_message, format_percent
from service.inference.errors import InputTooLarge


@pytest.mark.parametrize(
    ("score", "text"),
    [(0, "0.0 %"), (0.0004, "< 0.1 %"), (0.123, "12.3 %"), (0.9999, "> 99.9 %"), (1, "100.0 %")],
)
def test_only_exact_probabilities_are_shown_as_0_or_100_percent(score: float, text: str) -> None:
    QLocale.setDefault(QLocale("en"))
    assert format_percent(score) == text


def test_a_text_can_be_too_large_too() -> None:
    error = InputTooLarge("the text has 2100 different words, more than 2000; use a shorter text")
    assert "shorter text" in error_message(error)
