"""Drawing on the pad with mouse, finger, pen and keyboard."""

import io

import numpy as np
import pytest
from gestures import DASH, ONE, SEVEN, draw, press, window_point
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.drawing.pad import Pad
from desktop.drawing.stroke_painter import render
from desktop.drawing.strokes import CANVAS_SIZE, DIGIT_HEIGHT, MIN_BRUSH, Stroke, StrokePoint
from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.window.main_window import MainWindow


def levels(pad: Pad) -> np.ndarray:
    return np.asarray(pillow_of(pad.picture))


def test_undo_and_redo_restore_every_pixel(qtbot: QtBot, window: MainWindow) -> None:
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


def test_undo_during_a_stroke_removes_that_stroke(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, ONE)
    one = levels(pad)
    handle = window.windowHandle()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=window_point(pad, 0.2, 0.2))
    QTest.mouseMove(handle, window_point(pad, 0.8, 0.2))
    press(window, "Ctrl+Z")
    np.testing.assert_array_equal(levels(pad), one)
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=window_point(pad, 0.8, 0.2))
    np.testing.assert_array_equal(levels(pad), one)


def test_the_eraser_removes_ink(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, ONE)
    middle = CANVAS_SIZE // 2
    assert levels(pad)[middle, middle] == 255
    press(window, "E")
    assert window.draw_page.erase.isChecked()
    draw(pad, DASH)
    assert levels(pad)[middle, middle] == 0
    assert levels(pad)[round(CANVAS_SIZE * 0.25), middle] == 255


def test_the_slider_sets_the_width_of_the_brush(window: MainWindow) -> None:
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


def test_a_click_draws_a_round_dot(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, ((0.5, 0.5),))
    area = levels(pad).sum() / 255
    assert area == pytest.approx(np.pi * (0.13 * DIGIT_HEIGHT / 2) ** 2, rel=0.02)


def test_a_straight_stroke_has_smooth_edges(window: MainWindow) -> None:
    draw(window.draw_page.pad, ONE, steps=40)
    widths = levels(window.draw_page.pad)[round(CANVAS_SIZE * 0.3) : round(CANVAS_SIZE * 0.7)].sum(
        axis=1, dtype=int
    )
    assert np.mean(widths == np.median(widths)) > 0.95


def test_rendered_strokes_have_the_pixels_of_the_pad(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN, steps=25)
    draw(pad, DASH)
    np.testing.assert_array_equal(np.asarray(pillow_of(render(pad.strokes))), levels(pad))


def test_the_first_finger_draws_and_the_second_is_ignored(qapp: QApplication, window: MainWindow) -> None:
    pad = window.draw_page.pad
    screen = QTest.createTouchDevice()
    handle = window.windowHandle()
    QTest.touchEvent(handle, screen).press(0, window_point(pad, 0.5, 0.2), handle).commit()
    QTest.touchEvent(handle, screen).move(0, window_point(pad, 0.5, 0.4), handle).press(
        1, window_point(pad, 0.1, 0.9), handle
    ).commit()
    QTest.touchEvent(handle, screen).move(0, window_point(pad, 0.5, 0.8), handle).move(
        1, window_point(pad, 0.2, 0.9), handle
    ).commit()
    QTest.touchEvent(handle, screen).release(0, window_point(pad, 0.5, 0.8), handle).release(
        1, window_point(pad, 0.2, 0.9), handle
    ).commit()
    assert len(pad.strokes) == 1
    assert levels(pad)[:, : CANVAS_SIZE // 4].max() == 0
    assert levels(pad)[CANVAS_SIZE // 2, CANVAS_SIZE // 2] == 255


def test_pressure_sets_the_width_and_the_eraser_end_erases(qapp: QApplication, window: MainWindow) -> None:
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


def test_the_border_of_the_canvas_stays_free_of_ink(window: MainWindow) -> None:
    pad = window.draw_page.pad
    for x in np.linspace(0, 0.99, 12):
        draw(pad, ((x, 0.0), (x, 0.99)))
    rim = levels(pad)
    assert not np.concatenate([rim[0], rim[-1], rim[:, 0], rim[:, -1]]).any()
    assert rim[1:-1, 1:-1].mean() > 200


def test_an_encoded_drawing_has_the_pixels_of_the_pad(window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN)
    saved = Image.open(io.BytesIO(png_of_drawing(pad.picture)))
    np.testing.assert_array_equal(np.asarray(saved), levels(pad))


@pytest.mark.parametrize("count", [9, 12, 24])
def test_few_points_of_a_circle_become_a_smooth_curve_through_all_of_them(count: int) -> None:
    middle, radius = CANVAS_SIZE / 2, CANVAS_SIZE * 0.3
    angles = np.linspace(0, 2 * np.pi, count + 1)
    points = tuple(
        StrokePoint(middle + radius * np.cos(angle), middle + radius * np.sin(angle)) for angle in angles
    )
    ink = np.asarray(pillow_of(render([Stroke(points, MIN_BRUSH)]))) > 127
    for point in points:
        assert ink[round(point.y), round(point.x)]
    rows, columns = np.nonzero(ink)
    distances = np.hypot(columns + 0.5 - middle, rows + 0.5 - middle)
    half = MIN_BRUSH * DIGIT_HEIGHT / 2
    # A polygon of twelve corners would be up to 4.6 pixels inside of the circle; the ends have no neighbour.
    assert distances.max() < radius + half + 1.5
    angle_of_ink = np.arctan2(rows - middle, columns - middle)
    inner = distances[np.abs(angle_of_ink) > 2 * np.pi * 1.5 / count]
    assert inner.min() > radius - half - 1.5


def test_a_corner_does_not_become_a_loop() -> None:
    corner = ((0.3, 0.3), (0.6, 0.3), (0.62, 0.3), (0.5, 0.7))
    points = tuple(StrokePoint(x * CANVAS_SIZE, y * CANVAS_SIZE) for x, y in corner)
    ink = np.asarray(pillow_of(render([Stroke(points, MIN_BRUSH)]))) > 127
    half = MIN_BRUSH * DIGIT_HEIGHT / 2
    rows, columns = np.nonzero(ink)
    assert columns.max() < 0.62 * CANVAS_SIZE + half + 4
    assert rows.min() > 0.3 * CANVAS_SIZE - half - 4
