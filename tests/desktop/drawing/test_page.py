"""The drawing page in the main window."""

import numpy as np
import pytest
from gestures import DASH, ONE, SEVEN, bars, click, draw, headline, press, settling, window_point
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from desktop.drawing.pad import Pad
from desktop.drawing.strokes import CANVAS_SIZE, DIGIT_HEIGHT
from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.prediction.dispatcher import Dispatcher
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.preprocessing import prepare_digit


def levels(pad: Pad) -> np.ndarray:
    return np.asarray(pillow_of(pad.picture))


def test_a_stroke_is_predicted_as_by_service_inference(
    qtbot: QtBot, window: MainWindow, models: object
) -> None:
    pad = window.draw_page.pad
    with settling(qtbot, window):
        draw(pad, SEVEN)
    expected = Catalog(models).predictor("mnist").predict([png_of_drawing(pad.picture)])[0]
    assert headline(window) == expected.best.label == "7"
    assert list(bars(window)) == list("0123456789")
    expected_input = prepare_digit(pillow_of(pad.picture))
    qtbot.waitUntil(lambda: np.array_equal(window.panel.preview.pixels, expected_input))
    assert window.panel.duration.text().startswith("This computer ")
    assert window.panel.duration.text().endswith(" ms")


def test_an_unfinished_stroke_is_predicted(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    handle = window.windowHandle()
    QTest.mousePress(
        handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, window_point(pad, 0.5, 0.2)
    )
    QTest.mouseMove(handle, window_point(pad, 0.5, 0.5))
    qtbot.waitUntil(lambda: window.panel.duration.text() != "")
    assert pad.strokes == ()
    before = window.panel.preview.pixels
    QTest.mouseMove(handle, window_point(pad, 0.8, 0.5))
    qtbot.waitUntil(lambda: not np.array_equal(window.panel.preview.pixels, before))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=window_point(pad, 0.8, 0.5))
    assert len(pad.strokes) == 1


def test_a_blank_pad_is_not_predicted(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[object] = []
    monkeypatch.setattr(Dispatcher, "predict", lambda *request, **options: requests.append(request))
    pad = window.draw_page.pad
    assert headline(window) == "Draw a digit"
    window.draw_page.erase.trigger()
    draw(pad, DASH)
    assert pad.is_blank
    assert requests == []
    assert headline(window) == "Draw a digit"


def test_clear_removes_drawing_and_result_and_can_be_undone(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    with settling(qtbot, window):
        draw(pad, SEVEN)
    drawn = levels(pad)
    press(window, "Ctrl+Backspace")
    assert pad.is_blank
    assert not levels(pad).any()
    assert headline(window) == "Draw a digit"
    assert set(bars(window).values()) == {""}
    assert window.panel.preview.pixels is None
    assert window.panel.duration.text() == ""
    with settling(qtbot, window):
        press(window, "Ctrl+Z")
    np.testing.assert_array_equal(levels(pad), drawn)
    assert headline(window) == "7"


def test_a_response_after_clear_is_dropped(qtbot: QtBot, window: MainWindow) -> None:
    draw(window.draw_page.pad, SEVEN)
    press(window, "Ctrl+Backspace")
    # Responses come in the order of requests, so this one proves that the earlier one was dropped.
    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.controller.completed) as completed:
        QTest.keyClicks(window.text_page.editor, "good")
    assert completed.args[0].request.value == "good"
    window.tabs.setCurrentWidget(window.draw_page)
    assert headline(window) == "Draw a digit"


def test_tool_buttons_work(window: MainWindow) -> None:
    pad = window.draw_page.pad
    buttons = {button.text(): button for button in window.draw_page.findChildren(QToolButton)}
    draw(pad, ONE)
    click(buttons["Undo"])
    assert pad.is_blank
    click(buttons["Redo"])
    assert not pad.is_blank
    click(buttons["Clear"])
    assert pad.is_blank


def test_a_blank_pad_draws_again_after_erasing(qtbot: QtBot, seven: MainWindow) -> None:
    page = seven.draw_page
    page.erase.trigger()
    page.clear()
    assert not page.erase.isChecked()
    with settling(qtbot, seven):
        draw(page.pad, SEVEN)
    page.brush.setValue(page.brush.maximum())
    page.erase.trigger()
    draw(page.pad, SEVEN)
    assert page.pad.is_blank
    assert not page.erase.isChecked()
    with settling(qtbot, seven):
        draw(page.pad, SEVEN)
    assert not page.pad.is_blank


def test_the_eraser_shows_its_size(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN)
    plain = pad.grab().toImage()
    window.draw_page.erase.trigger()
    center = pad.square().center().toPoint()
    QTest.mouseMove(pad, center)
    radius = round(
        window.draw_page.brush.value() / 100 * DIGIT_HEIGHT / 2 * pad.square().width() / CANVAS_SIZE
    )
    shown = pad.grab().toImage()
    changed = [x for x in range(pad.width()) if shown.pixel(x, center.y()) != plain.pixel(x, center.y())]
    assert abs(min(changed) - (center.x() - radius)) <= 3
    assert abs(max(changed) - (center.x() + radius)) <= 3
    window.draw_page.erase.trigger()
    assert pad.grab().toImage() == plain


def test_thick_lines_of_a_small_digit_are_told_and_made_thinner(qtbot: QtBot, window: MainWindow) -> None:
    page = window.draw_page
    with settling(qtbot, window):
        draw(page.pad, SEVEN)
    assert not page.redraw.isVisible()
    page.clear()
    with settling(qtbot, window):
        draw(page.pad, [(0.4 + x / 5, 0.4 + y / 5) for x, y in SEVEN])
    assert page.redraw.isVisible()
    thick = levels(page.pad)
    with settling(qtbot, window):
        click(page.redraw)
    assert not page.redraw.isVisible()
    assert levels(page.pad).sum() < thick.sum() / 2
    assert page.pad.canvas.brush < 0.13
    press(window, "Ctrl+Z")
    np.testing.assert_array_equal(levels(page.pad), thick)


def test_a_dot_is_not_too_thick(window: MainWindow) -> None:
    click(window.draw_page.pad)
    assert not window.draw_page.redraw.isVisible()
