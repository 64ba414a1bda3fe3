"""Texts that users see."""

import pytest
from PySide6.QtCore import QLocale

from desktop.window.messages import format_percent


@pytest.mark.parametrize(
    ("score", "text"),
    [(0, "0.0 %"), (0.0004, "< 0.1 %"), (0.123, "12.3 %"), (0.9999, "> 99.9 %"), (1, "100.0 %")],
)
def test_only_exact_probabilities_are_shown_as_0_or_100_percent(score: float, text: str) -> None:
    QLocale.setDefault(QLocale("en"))
    assert format_percent(score) == text
