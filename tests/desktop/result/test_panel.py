"""The result panel in the main window."""

import pytest
from gestures import SEVEN, bars, draw, headline, settling
from pytestqt.qtbot import QtBot

from desktop.drawing.strokes import CANVAS_SIZE
from desktop.window.main_window import MainWindow


def test_bars_have_the_order_of_the_labels_until_the_user_sorts_them(
    qtbot: QtBot, window: MainWindow
) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert list(bars(window)) == list("0123456789")
    window.panel.orders.setCurrentIndex(1)
    rows = window.panel.bars.rows
    assert rows[0].label == headline(window) == "7"
    scores = [row.score or 0 for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-5)


def test_bars_have_name_and_value_for_screen_readers(qtbot: QtBot, window: MainWindow) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    row = window.panel.bars.rows[7]
    assert row.accessibleName() == "7"
    assert row.value() == round((row.score or 0) * 1000)


def test_the_settled_result_is_announced_once(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str] = []
    monkeypatch.setattr("desktop.result.panel.announce", lambda widget, text: announced.append(text))
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert announced == [f"7, {window.panel.detail.text()}"]


def test_several_digits_are_shown_as_a_number_with_boxes(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    for left in (-0.25, 0.2):
        with settling(qtbot, window):
            draw(pad, [(x + left, y) for x, y in SEVEN])
    assert headline(window) == "77"
    assert window.panel.detail.text() == "Several digits"
    assert set(bars(window).values()) == {""}  # they would be those of the whole drawing as one digit
    digits = window.controller.response.result.reading.digits
    assert [digit.label for digit in digits] == ["7", "7"]
    # A box is on the black canvas around the left digit, and goes with the drawing.
    left, top, width, _ = digits[0].box
    scale = pad.square().width() / CANVAS_SIZE
    corner = pad.square().topLeft().toPoint()
    middle = (corner.x() + round((left + width / 2) * scale), corner.y() + round(top * scale) - 4)
    assert pad.grab().toImage().pixelColor(*middle).saturation() > 0
    pad.clear()
    assert pad.grab().toImage().pixelColor(*middle).saturation() == 0
    with settling(qtbot, window):
        draw(pad, SEVEN)
    assert headline(window) == "7"
    assert "" not in bars(window).values()


def test_a_prediction_below_the_threshold_of_the_card_is_unsure(qtbot: QtBot, window: MainWindow) -> None:
    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.controller.completed):
        window.text_page.editor.setPlainText("good")
    assert headline(window) == "positive"
    with qtbot.waitSignal(window.controller.completed):
        window.text_page.editor.setPlainText("film")
    assert headline(window) == "negative or positive?"
    assert window.panel.detail.text() == "Unsure, 50.0 %"


def test_another_page_selects_the_default_version_again(qtbot: QtBot, window: MainWindow) -> None:
    window.panel.versions.setCurrentIndex(1)
    assert window.controller.version == 1
    with qtbot.waitSignal(window.controller.completed) as completed:
        draw(window.draw_page.pad, SEVEN)
    assert completed.args[0].result.prediction.version == 1
    window.connection.connect_backend()
    window.tabs.setCurrentWidget(window.text_page)
    window.tabs.setCurrentWidget(window.draw_page)
    assert window.controller.version == 2


def test_no_part_of_the_result_is_cut_off_beside_the_explanation(qtbot: QtBot, seven: MainWindow) -> None:
    seven.resize(1040, 700)
    seven.explanation_dock.show()
    viewport = seven.result_column.viewport()
    qtbot.waitUntil(lambda: seven.panel.width() <= viewport.width() and seven.width() <= 1280)
    for part in (seven.panel.versions, seven.panel.preview, seven.panel.bars):
        right = part.mapTo(viewport, part.rect().topRight()).x()
        assert right < viewport.width()
    duration = seven.panel.duration
    assert duration.text().endswith(" ms")
    assert duration.fontMetrics().horizontalAdvance(duration.text()) <= duration.contentsRect().width()
    assert "This computer" in duration.text() + duration.toolTip()
