"""Tests the bars of a prediction without a window."""

import pytest
from pytestqt.qtbot import QtBot

from desktop.result.bars import Bars
from desktop.settings import BarOrder
from service.inference import Score

SCORES = (Score("cat", 0.7), Score("ship", 0.2), Score("dog", 0.1))


@pytest.fixture
def bars(qtbot: QtBot) -> Bars:
    bars = Bars()
    qtbot.addWidget(bars)
    bars.set_labels(("dog", "cat", "ship"))
    return bars


@pytest.mark.parametrize(
    ("order", "labels"),
    [(BarOrder.LABELS, ["dog", "cat", "ship"]), (BarOrder.SCORES, ["cat", "ship", "dog"])],
)
def test_bars_are_sorted(bars: Bars, order: BarOrder, labels: list[str]) -> None:
    bars.set_order(order)
    bars.set_scores(SCORES)
    assert [row.label for row in bars.rows] == labels
    assert [row.label for row in bars.rows if row.highlighted] == ["cat"]


def test_new_labels_empty_the_bars(bars: Bars) -> None:
    bars.set_scores(SCORES)
    assert [row.value() for row in bars.rows] == [100, 700, 200]
    bars.set_labels(("positive", "negative"))
    assert [(row.accessibleName(), row.text(), row.value()) for row in bars.rows] == [
        ("positive", "", 0),
        ("negative", "", 0),
    ]
