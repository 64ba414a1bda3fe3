"""Tests the history strip without a window."""

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop.prediction.backends import Place, PredictionResult
from desktop.prediction.reader import PredictionRequest, PredictionResponse
from desktop.result import history
from desktop.result.history import HistoryStrip, Origin
from service.inference import Prediction, Score


@pytest.fixture
def strip(qtbot: QtBot) -> HistoryStrip:
    strip = HistoryStrip()
    qtbot.addWidget(strip)
    return strip


def response(label: str, document_id: int, page: str = "draw") -> PredictionResponse:
    thumbnail = QImage(10, 10, QImage.Format.Format_RGB32)
    thumbnail.fill(0)
    origin = Origin(page, document_id, None, thumbnail)
    prediction = Prediction("mnist", 1, (Score(label, 1.0),), False)
    return PredictionResponse(
        PredictionRequest("mnist", 1, "text", origin=origin), PredictionResult(prediction, Place.HERE, 1.0)
    )


def labels(strip: HistoryStrip) -> list[str]:
    return [strip.item(row).text() for row in range(strip.count())]


def test_the_newest_entry_comes_first_and_a_document_has_one_entry(strip: HistoryStrip) -> None:
    for label, document_id in (("1", 1), ("7", 1), ("3", 2)):
        strip.add(response(label, document_id))
    strip.add(response("cat", 2, page="pictures"))
    assert labels(strip) == ["cat", "3", "7"]


def test_the_oldest_entry_is_dropped(strip: HistoryStrip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_MAX_ENTRIES", 2)
    for number in range(4):
        strip.add(response(str(number), number))
    assert labels(strip) == ["3", "2"]


def test_an_activated_entry_is_sent_with_its_response(qtbot: QtBot, strip: HistoryStrip) -> None:
    first, second = response("1", 1), response("2", 2)
    strip.add(first)
    strip.add(second)
    with qtbot.waitSignal(strip.entry_activated) as activated:
        strip.itemActivated.emit(strip.item(1))
    assert activated.args == [first]
