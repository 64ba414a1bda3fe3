"""Tests the choice of the input without a window."""

import pytest
from gestures import pictures
from pytestqt.qtbot import QtBot

from desktop.lab.input_picker import InputPicker
from desktop.pictures.dropped_files import DroppedFile
from service.inference.errors import DamagedImage


@pytest.fixture
def picker(qtbot: QtBot) -> InputPicker:
    picker = InputPicker()
    qtbot.addWidget(picker)
    return picker


def test_a_blank_pad_has_no_loader(picker: InputPicker) -> None:
    assert picker.loader() is None
    assert picker.placeholder() == "Draw something"


def test_the_loader_stays_until_the_input_changes(qtbot: QtBot, picker: InputPicker) -> None:
    picker.select_picture()
    loader = picker.loader()
    assert loader is picker.loader()
    assert loader() is loader()
    assert loader().pixels.shape == (64, 64)
    with qtbot.waitSignal(picker.changed):
        picker.sizes.setCurrentIndex(picker.sizes.findData(28))
    assert picker.loader() is not loader
    assert picker.loader()().pixels.shape == (28, 28)
    with qtbot.waitSignal(picker.changed):
        picker.set_file(DroppedFile("ship.png", pictures() / "ship.png"))
    assert picker.loader()().name == "ship.png"


def test_a_damaged_file_is_an_error_of_its_loader(picker: InputPicker) -> None:
    picker.set_file(DroppedFile("damaged", b"no picture"))
    picker.select_picture()
    loader = picker.loader()
    with pytest.raises(DamagedImage):
        loader()


def test_a_picture_can_have_a_depth_of_three(picker: InputPicker) -> None:
    picker.set_file(DroppedFile("ship.png", pictures() / "ship.png"))
    picker.select_color_picture(227)
    loaded = picker.loader()()
    assert loaded.planes.shape == (3, 227, 227)
    assert loaded.shown is loaded.colors
    picker.colors.setChecked(False)
    grey = picker.loader()()
    assert grey.planes.shape == (1, 227, 227)
    assert grey.shown is grey.pixels
