"""The convolution lab on the real window: drawing, kernels, settings, sizes, pictures, pointing."""

import threading
from pathlib import Path

import numpy as np
import pytest
from gestures import LEFT, ONE, PLAIN, SEVEN, OpenWindow, click, draw, pictures, press, spot
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop.lab import page as lab_module
from desktop.lab.convolution import Operation, Outcome, Pooling, apply, grey_levels, grey_square
from desktop.lab.kernels import PRESETS, Preset
from desktop.lab.page import Lab
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import pillow_of, qimage_of_pixels
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.preprocessing import decode_image, prepare_digit


@pytest.fixture
def window(qtbot: QtBot, open_window: OpenWindow) -> MainWindow:
    window = open_window(models=BUNDLED)
    press(window, "Ctrl+5")
    assert window.lab.isVisible()
    return window


@pytest.fixture
def lab(window: MainWindow) -> Lab:
    return window.lab


@pytest.fixture
def drawn(qtbot: QtBot, lab: Lab) -> Lab:
    """The lab with a seven, convolved."""
    draw(lab.source.pad, SEVEN)
    qtbot.waitUntil(lambda: lab.outcome is not None and not lab._throttle._timer.isActive())
    wait_for(qtbot, lab, Operation(kernel=PRESETS[Preset.SOBEL_X]))
    return lab


def pixels(lab: Lab) -> np.ndarray:
    return prepare_digit(pillow_of(lab.source.pad.picture))


def wait_for(qtbot: QtBot, lab: Lab, operation: Operation, picture: np.ndarray | None = None) -> Outcome:
    """Wait until the lab shows what an operation makes of the drawing or of another picture."""
    expected = apply(operation, pixels(lab) if picture is None else picture)
    qtbot.waitUntil(
        lambda: lab.outcome is not None and np.array_equal(lab.outcome.values, expected.values),
        timeout=10_000,
    )
    assert lab.after.image == qimage_of_pixels(grey_levels(expected.values))
    return expected


def choose(box: object, data: object) -> None:
    box.setCurrentIndex(box.findData(data))


def type_into(lab: Lab, row: int, column: int, text: str) -> None:
    cell = lab.editor.cells[row][column]
    cell.setFocus()
    cell.selectAll()
    QTest.keyClicks(cell, text)


def test_a_drawing_is_convolved_as_the_network_sees_it(qtbot: QtBot, drawn: Lab) -> None:
    assert drawn.before.image == qimage_of_pixels(pixels(drawn))
    assert drawn.formula.text() == "O = (28 − 3 + 2 · 0) / 1 + 1 = 26"
    low, high = drawn.outcome.values.min(), drawn.outcome.values.max()
    assert drawn.range.text() == f"26 × 26 values from {low:.0f} to {high:.0f}; grey is 0"


def test_the_output_follows_a_stroke_that_is_still_being_drawn(qtbot: QtBot, lab: Lab) -> None:
    pad, handle = lab.source.pad, lab.window().windowHandle()
    QTest.mousePress(handle, LEFT, PLAIN, spot(pad, 0.5, 0.2))
    QTest.mouseMove(handle, spot(pad, 0.5, 0.6))
    qtbot.waitUntil(lambda: lab.outcome is not None)
    before = lab.outcome.values
    QTest.mouseMove(handle, spot(pad, 0.8, 0.6))
    qtbot.waitUntil(lambda: not np.array_equal(lab.outcome.values, before))
    assert pad.strokes == ()
    QTest.mouseRelease(handle, LEFT, PLAIN, spot(pad, 0.8, 0.6))
    wait_for(qtbot, lab, Operation(kernel=PRESETS[Preset.SOBEL_X]))


@pytest.mark.parametrize("preset", list(Preset))
def test_each_known_kernel_does_what_it_says(qtbot: QtBot, drawn: Lab, preset: Preset) -> None:
    choose(drawn.editor.presets, preset)
    wait_for(qtbot, drawn, Operation(kernel=PRESETS[preset]))
    if preset is Preset.IDENTITY:
        np.testing.assert_array_equal(drawn.outcome.values, pixels(drawn)[1:-1, 1:-1])


def test_a_kernel_can_be_typed(qtbot: QtBot, drawn: Lab) -> None:
    type_into(drawn, 0, 0, "1/4")
    type_into(drawn, 1, 1, "-2,5")
    kernel = PRESETS[Preset.SOBEL_X].copy()
    kernel[0, 0], kernel[1, 1] = 0.25, -2.5
    wait_for(qtbot, drawn, Operation(kernel=kernel))
    assert drawn.editor.presets.currentText() == "My own"


def test_a_bad_weight_is_named_and_nothing_comes_out_until_it_is_mended(qtbot: QtBot, drawn: Lab) -> None:
    type_into(drawn, 1, 2, "two")
    complaint = drawn.editor.complaint
    assert complaint.isVisible()
    assert complaint.text() == "Row 2, column 3: “two” is no number. Write one such as -1, 0.5 or 1/9."
    qtbot.waitUntil(lambda: drawn.outcome is None)
    assert drawn.after.placeholder == "Without a kernel nothing comes out."
    type_into(drawn, 1, 2, "2")
    assert not complaint.isVisible()
    wait_for(qtbot, drawn, Operation(kernel=PRESETS[Preset.SOBEL_X]))


def test_a_kernel_keeps_its_middle_in_another_size(qtbot: QtBot, drawn: Lab) -> None:
    choose(drawn.editor.sides, 5)
    kernel = np.zeros((5, 5), dtype=np.float32)
    kernel[1:4, 1:4] = PRESETS[Preset.SOBEL_X]
    wait_for(qtbot, drawn, Operation(kernel=kernel))
    assert drawn.formula.text() == "O = (28 − 5 + 2 · 0) / 1 + 1 = 24"
    type_into(drawn, 4, 4, "1")
    kernel[4, 4] = 1
    wait_for(qtbot, drawn, Operation(kernel=kernel))


def test_stride_padding_relu_and_pooling(qtbot: QtBot, drawn: Lab) -> None:
    settings, kernel = drawn.settings, PRESETS[Preset.SOBEL_X]
    settings.stride.setFocus()
    QTest.keyClick(settings.stride, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, Operation(kernel=kernel, stride=2))
    assert drawn.formula.text() == "O = ⌊(28 − 3 + 2 · 0) / 2⌋ + 1 = 13"
    QTest.keyClick(settings.padding, Qt.Key.Key_Down)
    wait_for(qtbot, drawn, Operation(kernel=kernel, stride=2, padding=None))
    assert drawn.formula.text() == "O = ⌊(28 − 3 + 2 · 1) / 2⌋ + 1 = 14"
    QTest.keyClick(settings.padding, Qt.Key.Key_Down)
    assert settings.edge.isVisible()
    for _ in range(3):
        QTest.keyClick(settings.edge, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, Operation(kernel=kernel, stride=2, padding=4))
    QTest.keyClick(settings.rectified, Qt.Key.Key_Space)
    wait_for(qtbot, drawn, Operation(kernel=kernel, stride=2, padding=4, rectified=True))
    assert drawn.range.text().endswith("; black is 0")
    for pooling in (Pooling.MAX, Pooling.AVERAGE):
        QTest.keyClick(settings.pooling, Qt.Key.Key_Down)
        wait_for(
            qtbot, drawn,
            Operation(kernel=kernel, stride=2, padding=4, rectified=True, pooling=pooling, pool=2),
        )  # fmt: skip
        assert drawn.formula.text().splitlines() == [
            "Convolution: O = ⌊(28 − 3 + 2 · 4) / 2⌋ + 1 = 17",
            "Pooling: O = ⌊(17 − 2 + 2 · 0) / 2⌋ + 1 = 8",
        ]


def test_what_does_not_fit_is_said_and_the_input_stays(qtbot: QtBot, drawn: Lab) -> None:
    drawn.settings.stride.setValue(8)
    choose(drawn.settings.pooling, Pooling.MAX)
    drawn.settings.pool.setValue(8)
    sentence = "This does not fit: take a smaller window or more padding."
    qtbot.waitUntil(lambda: drawn.after.placeholder == sentence)
    assert drawn.outcome is None
    assert not drawn.before.image.isNull()
    drawn.settings.pool.setValue(2)
    qtbot.waitUntil(lambda: drawn.outcome is not None)


def test_filters_of_the_trained_network(qtbot: QtBot, drawn: Lab) -> None:
    presets = drawn.editor.presets
    name = "Filter of mnist, version 1"
    qtbot.waitUntil(lambda: presets.findText(name) >= 0)
    presets.setCurrentIndex(presets.findText(name))
    filters = Catalog().explainer("mnist", 1).filters()[:, :, 0, :]
    wait_for(qtbot, drawn, Operation(kernel=filters[:, :, 0]))
    assert drawn.editor.number.isVisible()
    assert drawn.editor.number.text() == "No. 1 of 32"
    for _ in range(6):
        QTest.keyClick(drawn.editor.number, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, Operation(kernel=filters[:, :, 6]))
    assert float(drawn.editor.cells[2][1].text()) == pytest.approx(filters[2, 1, 6], abs=5e-4)


def test_the_filters_are_offered_once_however_often_the_tab_is_shown(
    qtbot: QtBot, window: MainWindow
) -> None:
    presets = window.lab.editor.presets
    qtbot.waitUntil(lambda: presets.findText("Filter of mnist, version 1") >= 0)
    count = presets.count()
    press(window, "Ctrl+1")
    with qtbot.waitSignal(window.lab.editor._lists.finished):
        press(window, "Ctrl+5")
    assert presets.count() == count


def test_a_sample_picture_is_there_and_comes_in_four_sizes(qtbot: QtBot, lab: Lab) -> None:
    lab.source.kinds.setFocus()
    QTest.keyClick(lab.source.kinds, Qt.Key.Key_Down)
    sample = decode_image((BUNDLED.parent / "desktop/samples/cats_vs_dogs/cat_1.jpg").read_bytes())
    for side in (64, 28, 128, 256):
        choose(lab.source.sides, side)
        wait_for(qtbot, lab, Operation(kernel=PRESETS[Preset.SOBEL_X]), grey_square(sample, side=side))
        assert lab.formula.text() == f"O = ({side} − 3 + 2 · 0) / 1 + 1 = {side - 2}"
    assert lab.source.view.isVisible()
    assert not lab.source.view.image.isNull()
    assert not lab.source.pad.isVisible()


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    at = QPointF(window.rect().center())
    enter = QDragEnterEvent(at.toPoint(), Qt.DropAction.CopyAction, mime, LEFT, PLAIN)
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDropEvent(at, Qt.DropAction.CopyAction, mime, LEFT, PLAIN))


def test_a_picture_can_be_dropped_on_the_lab(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    drop(window, pictures() / "ship.png")
    assert window.lab.isVisible()
    ship = grey_square(decode_image((pictures() / "ship.png").read_bytes()), side=64)
    wait_for(qtbot, window.lab, Operation(kernel=PRESETS[Preset.SOBEL_X]), ship)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    drop(window, broken)
    qtbot.waitUntil(lambda: window.lab.before.placeholder.startswith("This file is damaged"))
    assert window.lab.outcome is None


def test_a_picture_can_be_opened(qtbot: QtBot, lab: Lab) -> None:
    lab.source.turn_to_picture()
    click(lab.source.open)
    dialog = lab.findChild(QFileDialog)
    dialog.fileSelected.emit(str(pictures() / "ship.png"))
    dialog.reject()
    ship = grey_square(decode_image((pictures() / "ship.png").read_bytes()), side=64)
    wait_for(qtbot, lab, Operation(kernel=PRESETS[Preset.SOBEL_X]), ship)


def test_the_picture_of_the_other_tab_is_taken_along_once(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+2")
    window.pictures_page.load([DroppedFile("ship.png", pictures() / "ship.png")])
    qtbot.waitUntil(lambda: window.pictures_page.value() is not None)
    press(window, "Ctrl+5")
    window.lab.source.turn_to_picture()
    ship = grey_square(decode_image((pictures() / "ship.png").read_bytes()), side=64)
    wait_for(qtbot, window.lab, Operation(kernel=PRESETS[Preset.SOBEL_X]), ship)
    drop(window, pictures() / "cat.jpg")
    cat = grey_square(decode_image((pictures() / "cat.jpg").read_bytes()), side=64)
    wait_for(qtbot, window.lab, Operation(kernel=PRESETS[Preset.SOBEL_X]), cat)
    press(window, "Ctrl+1")
    press(window, "Ctrl+5")
    choose(window.lab.editor.presets, Preset.EMBOSS)
    wait_for(qtbot, window.lab, Operation(kernel=PRESETS[Preset.EMBOSS]), cat)


def test_pointing_at_a_value_frames_the_pixels_it_comes_from(qtbot: QtBot, drawn: Lab) -> None:
    drawn.settings.stride.setValue(2)
    outcome = wait_for(qtbot, drawn, Operation(kernel=PRESETS[Preset.SOBEL_X], stride=2))
    area = drawn.after.area()
    at = area.topLeft() + QPointF(5.5, 3.5) * (area.width() / 13)
    QTest.mouseMove(drawn.after, at.toPoint())
    assert drawn.before.mark == QRect(10, 6, 3, 3)
    assert drawn.range.text() == f"Row 4, column 6: {outcome.values[3, 5]:.0f}, out of 3 × 3 pixels"
    seen = pixels(drawn).astype(int)
    assert drawn.sum.text().splitlines() == [
        f"-1 · {seen[6, 10]} + 0 · {seen[6, 11]} + 1 · {seen[6, 12]}",
        f"-2 · {seen[7, 10]} + 0 · {seen[7, 11]} + 2 · {seen[7, 12]}",
        f"-1 · {seen[8, 10]} + 0 · {seen[8, 11]} + 1 · {seen[8, 12]}",
        f"The sum is {outcome.values[3, 5]:.0f}",
    ]
    drawn.after.setFocus()
    QTest.keyClick(drawn.after, Qt.Key.Key_Right)
    assert drawn.after.spot == QPoint(6, 3)
    assert drawn.before.mark == QRect(12, 6, 3, 3)
    drawn.settings.stride.setValue(8)
    qtbot.waitUntil(lambda: drawn.after.image.width() == 4)
    assert drawn.after.spot is None
    assert drawn.before.mark.isNull()
    assert drawn.sum.text() == ""


def test_undo_and_clear_belong_to_the_pad_that_is_seen(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+1")
    draw(window.draw_page.pad, ONE)
    press(window, "Ctrl+5")
    draw(window.lab.source.pad, SEVEN)
    draw(window.lab.source.pad, ONE)
    QTest.keyClick(window.lab.source.pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.lab.source.pad.strokes) == 1
    QTest.keySequence(window.lab.source.pad, "Ctrl+Shift+Z")
    assert len(window.lab.source.pad.strokes) == 2
    assert len(window.draw_page.pad.strokes) == 1
    qtbot.waitUntil(lambda: window.lab.outcome is not None)
    click(window.lab.source.clear)
    qtbot.waitUntil(lambda: window.lab.before.placeholder == "Draw something")
    assert window.lab.outcome is None
    assert window.lab.formula.text() == "O = (I − K + 2P) / S + 1"
    assert len(window.draw_page.pad.strokes) == 1


def test_nothing_is_computed_in_the_windows_thread(
    qtbot: QtBot, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def watched(operation: Operation, picture: np.ndarray) -> Outcome:
        threads.append(threading.current_thread())
        return apply(operation, picture)

    monkeypatch.setattr(lab_module, "apply", watched)
    draw(lab.source.pad, SEVEN)
    qtbot.waitUntil(lambda: lab.outcome is not None)
    assert threads
    assert threading.main_thread() not in threads
