"""Drawing on the real window: strokes, eraser, undo, clear, and what is read meanwhile."""

import io

import numpy as np
import pytest
from gestures import DASH, ONE, SEVEN, bars, click, draw, press, settling, shown, spot
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from desktop.drawing.brush import render
from desktop.drawing.pad import Pad
from desktop.drawing.strokes import CANVAS_SIZE, DIGIT_HEIGHT
from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.preprocessing import prepare_digit


def levels(pad: Pad) -> np.ndarray:
    return np.asarray(pillow_of(pad.picture))


def test_a_stroke_is_read_as_service_inference_reads_the_same_picture(
    qtbot: QtBot, window: MainWindow, models: object
) -> None:
    pad = window.draw_page.pad
    with settling(qtbot, window):
        draw(pad, SEVEN)
    expected = Catalog(models).predictor("mnist").predict([png_of_drawing(pad.picture)])[0]
    assert shown(window) == expected.best.label == "7"
    assert list(bars(window)) == list("0123456789")
    seen = prepare_digit(pillow_of(pad.picture))
    qtbot.waitUntil(lambda: np.array_equal(window.panel.preview.pixels, seen))
    assert window.panel.duration.text().startswith("This computer ")
    assert window.panel.duration.text().endswith(" ms")


def test_the_result_follows_while_the_stroke_is_still_being_drawn(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    handle = window.windowHandle()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot(pad, 0.5, 0.2))
    QTest.mouseMove(handle, spot(pad, 0.5, 0.5))
    qtbot.waitUntil(lambda: window.panel.duration.text() != "")
    assert pad.strokes == ()
    before = window.panel.preview.pixels
    QTest.mouseMove(handle, spot(pad, 0.8, 0.5))
    qtbot.waitUntil(lambda: not np.array_equal(window.panel.preview.pixels, before))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=spot(pad, 0.8, 0.5))
    assert len(pad.strokes) == 1


def test_a_blank_pad_invites_and_asks_nobody(qtbot: QtBot, window: MainWindow) -> None:
    asked = []
    window.controller.ask = asked.append
    pad = window.draw_page.pad
    assert shown(window) == "Draw a digit"
    window.draw_page.erase.trigger()
    draw(pad, DASH)
    assert pad.is_blank
    assert asked == []
    assert shown(window) == "Draw a digit"


def test_clear_empties_everything_and_can_be_undone(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    with settling(qtbot, window):
        draw(pad, SEVEN)
    drawn = levels(pad)
    press(window, "Ctrl+Backspace")
    assert pad.is_blank
    assert not levels(pad).any()
    assert shown(window) == "Draw a digit"
    assert set(bars(window).values()) == {""}
    assert window.panel.preview.pixels is None
    assert window.panel.duration.text() == ""
    with settling(qtbot, window):
        press(window, "Ctrl+Z")
    np.testing.assert_array_equal(levels(pad), drawn)
    assert shown(window) == "7"


def test_an_answer_that_comes_after_clear_is_dropped(qtbot: QtBot, window: MainWindow) -> None:
    draw(window.draw_page.pad, SEVEN)
    press(window, "Ctrl+Backspace")
    # A request asked later is answered later: when its answer is there, that of the seven would be, too.
    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.controller.completed) as answered:
        QTest.keyClicks(window.text_page.editor, "good")
    assert answered.args[0].request.value == "good"
    window.tabs.setCurrentWidget(window.draw_page)
    assert shown(window) == "Draw a digit"


def test_undo_and_redo_go_by_strokes_to_the_very_pixel(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    pages = [levels(pad)]
    for line in (SEVEN, DASH, ONE):
        draw(pad, line)
        pages.append(levels(pad))
    for page in reversed(pages[:-1]):
        press(window, "Ctrl+Z")
        np.testing.assert_array_equal(levels(pad), page)
    assert not window.draw_page.undo.isEnabled()
    for page in pages[1:]:
        press(
            window,
            "Ctrl+Shift+Z" if window.draw_page.redo.shortcut().toString() == "Ctrl+Shift+Z" else "Ctrl+Y",
        )
        np.testing.assert_array_equal(levels(pad), page)
    assert not window.draw_page.redo.isEnabled()


def test_undoing_in_the_middle_of_a_stroke_takes_that_stroke(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, ONE)
    one = levels(pad)
    handle = window.windowHandle()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=spot(pad, 0.2, 0.2))
    QTest.mouseMove(handle, spot(pad, 0.8, 0.2))
    press(window, "Ctrl+Z")
    np.testing.assert_array_equal(levels(pad), one)
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=spot(pad, 0.8, 0.2))
    np.testing.assert_array_equal(levels(pad), one)


def test_the_eraser_takes_ink_away(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, ONE)
    middle = CANVAS_SIZE // 2
    assert levels(pad)[middle, middle] == 255
    press(window, "E")
    assert window.draw_page.erase.isChecked()
    draw(pad, DASH)
    assert levels(pad)[middle, middle] == 0
    assert levels(pad)[round(CANVAS_SIZE * 0.25), middle] == 255


def test_the_brush_is_thirteen_percent_of_a_digits_height_and_follows_the_slider(window: MainWindow) -> None:
    pad = window.draw_page.pad

    def width() -> float:
        return levels(pad)[round(CANVAS_SIZE * 0.5)].sum() / 255

    draw(pad, ONE)
    assert width() == pytest.approx(0.13 * DIGIT_HEIGHT, abs=0.5)
    press(window, "Ctrl+Backspace")
    slider = window.draw_page.brush
    slider.setFocus()
    for _ in range(4):
        QTest.keyClick(slider, Qt.Key.Key_Right)
    draw(pad, ONE)
    assert width() == pytest.approx(0.17 * DIGIT_HEIGHT, abs=0.5)


def test_a_click_leaves_a_round_dot(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, ((0.5, 0.5),))
    area = levels(pad).sum() / 255
    assert area == pytest.approx(np.pi * (0.13 * DIGIT_HEIGHT / 2) ** 2, rel=0.02)


def test_edges_of_a_straight_stroke_are_smooth(window: MainWindow) -> None:
    draw(window.draw_page.pad, ONE, steps=40)
    widths = levels(window.draw_page.pad)[round(CANVAS_SIZE * 0.3) : round(CANVAS_SIZE * 0.7)].sum(
        axis=1, dtype=int
    )
    assert np.mean(widths == np.median(widths)) > 0.95


def test_strokes_brought_back_give_the_pixels_that_were_drawn(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN, steps=25)
    draw(pad, DASH)
    np.testing.assert_array_equal(np.asarray(pillow_of(render(pad.strokes))), levels(pad))


def test_a_finger_draws_and_a_second_one_does_not_disturb(qapp: QApplication, window: MainWindow) -> None:
    pad = window.draw_page.pad
    screen = QTest.createTouchDevice()
    handle = window.windowHandle()
    QTest.touchEvent(handle, screen).press(0, spot(pad, 0.5, 0.2), handle).commit()
    QTest.touchEvent(handle, screen).move(0, spot(pad, 0.5, 0.4), handle).press(
        1, spot(pad, 0.1, 0.9), handle
    ).commit()
    QTest.touchEvent(handle, screen).move(0, spot(pad, 0.5, 0.8), handle).move(
        1, spot(pad, 0.2, 0.9), handle
    ).commit()
    QTest.touchEvent(handle, screen).release(0, spot(pad, 0.5, 0.8), handle).release(
        1, spot(pad, 0.2, 0.9), handle
    ).commit()
    assert len(pad.strokes) == 1
    assert levels(pad)[:, : CANVAS_SIZE // 4].max() == 0
    assert levels(pad)[CANVAS_SIZE // 2, CANVAS_SIZE // 2] == 255


def test_a_pen_that_is_pressed_harder_draws_broader_and_its_other_end_erases(
    qapp: QApplication, window: MainWindow
) -> None:
    pad = window.draw_page.pad

    def pen(kind: QEvent.Type, y: float, pressure: float, tip: QPointingDevice.PointerType) -> None:
        device = QPointingDevice(
            "pen", 1, QInputDevice.DeviceType.Stylus, tip, QInputDevice.Capability.Pressure, 1, 1
        )
        at = pad.square().topLeft() + QPointF(0.5, y) * pad.square().width()
        left = Qt.MouseButton.LeftButton
        modifiers = Qt.KeyboardModifier.NoModifier
        event = QTabletEvent(
            kind, device, at, pad.mapToGlobal(at), pressure, 0, 0, 0, 0, 0, modifiers, left, left
        )
        qapp.sendEvent(pad, event)
        assert event.isAccepted()

    nib, rubber = QPointingDevice.PointerType.Pen, QPointingDevice.PointerType.Eraser
    pen(QEvent.Type.TabletPress, 0.2, 0.1, nib)
    for y in (0.3, 0.4):
        pen(QEvent.Type.TabletMove, y, 0.1, nib)
    for y in (0.5, 0.6, 0.7):
        pen(QEvent.Type.TabletMove, y, 0.9, nib)
    pen(QEvent.Type.TabletRelease, 0.7, 0.0, nib)
    widths = levels(pad).sum(axis=1) / 255
    assert widths[round(CANVAS_SIZE * 0.25)] == pytest.approx(0.6 * 0.13 * DIGIT_HEIGHT, abs=0.5)
    assert widths[round(CANVAS_SIZE * 0.6)] == pytest.approx(1.4 * 0.13 * DIGIT_HEIGHT, abs=0.5)
    pen(QEvent.Type.TabletPress, 0.6, 0.9, rubber)
    pen(QEvent.Type.TabletRelease, 0.6, 0.0, rubber)
    assert levels(pad)[round(CANVAS_SIZE * 0.6), CANVAS_SIZE // 2] == 0


def test_arrow_keys_and_space_draw(window: MainWindow) -> None:
    pad = window.draw_page.pad
    pad.setFocus()
    for key in ["Up", "Up", "Space", "Down", "Down", "Down", "Down", "Space", "Right", "Right"]:
        QTest.keyClick(pad, getattr(Qt.Key, f"Key_{key}"))
    assert len(pad.strokes) == 1
    assert levels(pad)[CANVAS_SIZE // 2, CANVAS_SIZE // 2] == 255
    assert levels(pad)[:, round(CANVAS_SIZE * 0.6) :].max() == 0


def test_ink_at_the_very_edge_still_leaves_a_rim_of_page(window: MainWindow) -> None:
    pad = window.draw_page.pad
    for x in np.linspace(0, 0.99, 12):
        draw(pad, ((x, 0.0), (x, 0.99)))
    rim = levels(pad)
    assert not np.concatenate([rim[0], rim[-1], rim[:, 0], rim[:, -1]]).any()
    assert rim[1:-1, 1:-1].mean() > 200


def test_a_drawing_is_the_same_file_for_the_network_whether_read_or_saved(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN)
    saved = Image.open(io.BytesIO(png_of_drawing(pad.picture)))
    np.testing.assert_array_equal(np.asarray(saved), levels(pad))


def test_tools_can_be_clicked(window: MainWindow) -> None:
    pad = window.draw_page.pad
    buttons = {button.text(): button for button in window.draw_page.findChildren(QToolButton)}
    draw(pad, ONE)
    click(buttons["Undo"])
    assert pad.is_blank
    click(buttons["Redo"])
    assert not pad.is_blank
    click(buttons["Clear"])
    assert pad.is_blank
