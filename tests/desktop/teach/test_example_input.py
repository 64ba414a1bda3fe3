"""Examples by hand on the real window: the webcam, and the pad with its button."""

import numpy as np
import pytest
from fake_multimedia import Webcams
from gestures import DASH, LEFT, NO_MODIFIER, click, draw, press, teach
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.pictures.images import qimage_of_pixels
from desktop.window.main_window import MainWindow


def noise(random: np.random.Generator, channel: int) -> QImage:
    """Return a frame in which a colour is strong."""
    pixels = random.integers(0, 90, (480, 640, 3), dtype=np.uint8)
    pixels[..., channel] += 150
    return qimage_of_pixels(pixels)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def take(qtbot: QtBot, window: MainWindow, webcams: Webcams, frame: QImage) -> None:
    """Show a frame to the webcam, and take a picture of it."""
    camera_input = window.teach_page.input
    count = len(window.teach_page.examples)

    def shown() -> bool:
        webcams.show(frame)
        return camera_input.live.image.constBits() == frame.constBits()

    qtbot.waitUntil(shown)
    click(camera_input.add)
    assert len(window.teach_page.examples) == count + 1


def test_pictures_of_the_webcam_become_a_model(
    qtbot: QtBot, window: MainWindow, webcams: Webcams, random: np.random.Generator
) -> None:
    page = window.teach_page
    click(page.input.webcam)
    assert webcams.running == ["Front"]
    assert page.input.live.isVisible()
    assert page.form.base is not None
    assert page.form.base.name == "cats_vs_dogs"  # no network of digits
    for label, channel in (("red", 0), ("blue", 2)):
        page.input.label.setText(label)
        for _ in range(4):
            take(qtbot, window, webcams, noise(random, channel))
    for example in page.examples:
        assert example.path.read_bytes().startswith(b"\xff\xd8\xff")
    assert max(QImage(str(example.path)).width() for example in page.examples) <= 512

    teach(qtbot, window)
    assert page.status.text().startswith("my-model 1 is a model now. 100.0 % of 8 examples are right")
    click(page.use)
    qtbot.waitUntil(lambda: window.tabs.currentWidget() is window.pictures_page)
    assert webcams.running == []


def test_holding_the_button_takes_many_pictures(
    qtbot: QtBot, window: MainWindow, webcams: Webcams, random: np.random.Generator
) -> None:
    page = window.teach_page
    click(page.input.webcam)
    page.input.label.setText("red")
    webcams.show(noise(random, 0))
    center = page.input.add.rect().center()
    QTest.mousePress(page.input.add, LEFT, NO_MODIFIER, center)

    def taken() -> bool:
        webcams.show(noise(random, 0))
        return len(page.examples) >= 3

    qtbot.waitUntil(taken)
    QTest.mouseRelease(page.input.add, LEFT, NO_MODIFIER, center)


def test_the_webcam_is_turned_off_with_the_page(qtbot: QtBot, window: MainWindow, webcams: Webcams) -> None:
    example_input = window.teach_page.input
    click(example_input.webcam)
    press(window, "Ctrl+1")
    assert webcams.running == []
    window.tabs.show_tool(window.teach_page)
    assert example_input.pad.isVisible()
    assert webcams.running == []


def test_a_window_that_closes_turns_the_webcam_off(
    qtbot: QtBot, window: MainWindow, webcams: Webcams
) -> None:
    click(window.teach_page.input.webcam)
    window.close()
    assert webcams.running == []


def test_without_a_webcam_the_pad_stays_and_the_reason_is_shown(
    qtbot: QtBot, window: MainWindow, webcams: Webcams
) -> None:
    webcams.devices.clear()
    example_input = window.teach_page.input
    click(example_input.webcam)
    assert not example_input.webcam.isChecked()
    assert example_input.pad.isVisible()
    assert example_input.notice.text().startswith("There is no webcam.")
    assert example_input.notice.isVisible()


def test_why_there_is_no_webcam_can_be_read_in_a_low_window(
    qtbot: QtBot, window: MainWindow, webcams: Webcams
) -> None:
    webcams.devices.clear()
    window.resize(960, 500)
    example_input = window.teach_page.input
    click(example_input.webcam)
    viewport = window.tabs.currentWidget().viewport()

    def is_in_view(widget: QWidget) -> bool:
        return viewport.rect().contains(QRect(widget.mapTo(viewport, QPoint(0, 0)), widget.size()))

    qtbot.waitUntil(lambda: is_in_view(example_input.notice) and is_in_view(example_input.add))


def test_without_a_label_no_picture_is_taken(
    qtbot: QtBot, window: MainWindow, webcams: Webcams, random: np.random.Generator
) -> None:
    page = window.teach_page
    click(page.input.webcam)
    webcams.show(noise(random, 1))
    click(page.input.add)
    assert page.examples == ()
    assert page.input.label.hasFocus()


def test_a_drawing_can_be_cleared_and_undone(qtbot: QtBot, window: MainWindow) -> None:
    example_input = window.teach_page.input
    draw(example_input.pad, DASH)
    click(example_input.clear)
    assert example_input.pad.is_blank
    example_input.pad.setFocus()
    press(window, "Ctrl+Z")
    assert len(example_input.pad.strokes) == 1
    assert window.draw_page.pad.is_blank
