"""Tests the history of predictions, by itself and in the main window."""

import pytest
from gestures import DASH, ONE, SEVEN, draw, headline, menu_action, pictures, predicted, press, settling
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.thumbnail_list import tile_image
from desktop.prediction.backends import Location, PredictionResult
from desktop.prediction.requests import Origin, PredictionRequest, PredictionResponse
from desktop.result import history
from desktop.result.history import HistoryStrip
from desktop.window.main_window import MainWindow
from service.inference import Prediction, Score


@pytest.fixture
def strip(qtbot: QtBot) -> HistoryStrip:
    strip = HistoryStrip()
    qtbot.addWidget(strip)
    return strip


def response(label: str, document_id: int, page: str = "draw") -> PredictionResponse:
    thumbnail = QImage(10, 10, QImage.Format.Format_RGB32)
    thumbnail.fill(0)
    origin = Origin(page, (document_id,), label, thumbnail)
    prediction = Prediction("mnist", 1, (Score(label, 1.0),), False)
    request = PredictionRequest("mnist", 1, "text", origin=origin)
    return PredictionResponse(request, PredictionResult(prediction, Location.LOCAL, 1.0))


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


def test_history_has_one_entry_per_drawing_and_restores_it(qtbot: QtBot, seven: MainWindow) -> None:
    drawn, result = seven.draw_page.pad.picture, seven.panel.detail.text()
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, DASH)
    assert seven.strip.count() == 1
    with settling(qtbot, seven):
        press(seven, "Ctrl+Z")
    assert seven.panel.detail.text() == result
    press(seven, "Ctrl+Backspace")
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, ONE)
    assert seven.strip.count() == 2
    press(seven, "Ctrl+3")
    item = seven.strip.item(1)
    with qtbot.waitSignal(seven.controller.network_input_ready):
        QTest.mouseClick(
            seven.strip.viewport(), Qt.MouseButton.LeftButton, pos=seven.strip.visualItemRect(item).center()
        )
    assert seven.tabs.page is seven.draw_page
    assert seven.draw_page.pad.picture == drawn
    assert (headline(seven), seven.panel.detail.text()) == ("7", result)


def test_history_restores_pictures_and_versions(qtbot: QtBot, seven: MainWindow) -> None:
    seven.panel.versions.setCurrentIndex(1)
    qtbot.waitUntil(lambda: predicted(seven) is not None and predicted(seven).version == 1)
    press(seven, "Ctrl+2")
    with qtbot.waitSignal(seven.controller.completed):
        seven.pictures_page.load([DroppedFile("cat.jpg", pictures() / "cat.jpg")])
    seven.pictures_page.clear()
    first = seven.strip.item(0)
    seven.strip.setCurrentItem(first)
    with qtbot.waitSignal(seven.controller.network_input_ready):
        seven.strip.itemActivated.emit(first)
    assert seven.pictures_page.value() == (pictures() / "cat.jpg").read_bytes()
    seven.strip.itemActivated.emit(seven.strip.item(1))
    assert seven.tabs.page is seven.draw_page
    assert seven.controller.version == 1


def test_unsure_answers_are_labelled_as_such(strip: HistoryStrip) -> None:
    origin = Origin("draw", (1,), "strokes", QImage(10, 10, QImage.Format.Format_RGB32))
    request = PredictionRequest("mnist", 1, "text", origin=origin)
    scores = (Score("4", 0.5), Score("9", 0.4), Score("7", 0.1))
    strip.add(
        PredictionResponse(request, PredictionResult(Prediction("mnist", 1, scores, True), Location.LOCAL, 1))
    )
    assert labels(strip) == ["4 or 9?"]
    assert "50.0 %" in strip.item(0).toolTip()


def test_erasing_keeps_the_entry_of_the_whole_drawing(qtbot: QtBot, seven: MainWindow) -> None:
    whole = seven.draw_page.pad.strokes
    press(seven, "E")
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, SEVEN[:2])
    press(seven, "E")
    assert seven.strip.count() == 1
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, ONE)
    assert seven.strip.count() == 2
    seven.strip.itemActivated.emit(seven.strip.item(1))
    assert seven.draw_page.pad.strokes == whole


def test_another_model_adds_an_entry_and_keeps_the_first(qtbot: QtBot, seven: MainWindow) -> None:
    with settling(qtbot, seven):
        seven.panel.versions.setCurrentIndex(1)
    assert [seven.strip.item(row).toolTip()[-1] for row in range(seven.strip.count())] == ["1", "2"]


def test_going_to_and_fro_adds_nothing(qtbot: QtBot, seven: MainWindow) -> None:
    press(seven, "Ctrl+2")
    with qtbot.waitSignal(seven.controller.completed):
        seven.pictures_page.load([DroppedFile("cat.jpg", pictures() / "cat.jpg")])
    for keys in ("Ctrl+1", "Ctrl+2", "Ctrl+1"):
        with qtbot.waitSignal(seven.controller.completed):
            press(seven, keys)
    assert seven.strip.count() == 2


def test_a_small_drawing_fills_its_thumbnail(qtbot: QtBot, window: MainWindow) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, [(0.1 + x / 8, 0.1 + y / 8) for x, y in SEVEN])
    image = tile_image(window.strip.item(0))
    bright = [
        image.pixelColor(x, y).lightness() > 100 for x in range(image.width()) for y in range(image.height())
    ]
    assert sum(bright) > 0.1 * len(bright)


def test_the_history_can_be_cleared(seven: MainWindow) -> None:
    assert seven.strip.count() == 1
    menu_action(seven, "Clear history").trigger()
    assert seven.strip.count() == 0


def test_a_double_click_is_undone_at_once(qtbot: QtBot, seven: MainWindow) -> None:
    seven.draw_page.clear()
    item = seven.strip.item(0)
    for signal in (seven.strip.itemClicked, seven.strip.itemActivated, seven.strip.itemClicked):
        signal.emit(item)
    assert not seven.draw_page.pad.is_blank
    press(seven, "Ctrl+Z")
    assert seven.draw_page.pad.is_blank
