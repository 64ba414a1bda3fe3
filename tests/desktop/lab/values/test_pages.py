"""Tests the pages of softmax, activations, dropout and normalization in the main window."""

import numpy as np
import pytest
from gestures import ONE, SEVEN, OpenWindow, click, draw, press
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from scipy import special

from desktop.lab.maps.plot import Mark
from desktop.lab.network.activations import Activations
from desktop.lab.network.stage import Function, StageKind
from desktop.lab.network.topic import NetworkTopic
from desktop.lab.page import LabPage
from service.inference.catalog import BUNDLED


@pytest.fixture
def lab(qtbot: QtBot, open_window: OpenWindow) -> LabPage:
    window = open_window(models=BUNDLED)
    press(window, "Ctrl+5")
    return window.lab_page


def seven(qtbot: QtBot, lab: LabPage, page: QWidget) -> Activations:
    """Show a page, draw a seven, and wait for what the network computes."""
    assert isinstance(page, NetworkTopic)
    lab.tabs.setCurrentWidget(page)
    draw(lab.picker.pad, SEVEN)
    qtbot.waitUntil(lambda: page.activations is not None and page.activations.scores.argmax() == 7)
    return page.activations


def test_softmax_shows_the_scores_and_follows_the_temperature(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.softmax
    lab.tabs.setCurrentWidget(page)
    assert page.table.placeholder == "Draw something"
    found = seven(qtbot, lab, page)
    assert page.table.labels == tuple("0123456789")
    np.testing.assert_allclose(page.table.softmax.shares, found.scores, atol=1e-5)
    page.temperature.setValue(5)
    expected = special.softmax(found.logits.astype(float) / 5)
    np.testing.assert_allclose(page.table.softmax.shares, expected)
    assert f"7 {expected[7] * 100:.1f} %" in page.table.accessibleDescription()
    assert page.result.text().startswith("T = 5.00: the sum of the powers is ")
    page.slider.setValue(page.slider.maximum())
    assert page.temperature.value() == 20
    click(page.reset)
    assert page.temperature.value() == 1
    np.testing.assert_allclose(page.table.softmax.shares, found.scores, atol=1e-5)
    draw(lab.picker.pad, ONE)
    qtbot.waitUntil(lambda: page.activations is not found)
    click(lab.picker.clear)
    qtbot.waitUntil(lambda: page.table.softmax is None)


def test_the_labels_are_those_of_the_network_that_was_run(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.softmax
    seven(qtbot, lab, page)
    models = [page.models.itemData(index) for index in range(page.models.count())]
    # The thread has not run the other network yet.
    page.models.setCurrentIndex(next(at for at, card in enumerate(models) if len(card.labels) == 2))
    page.temperature.setValue(5)
    assert page.table.labels == tuple("0123456789")
    qtbot.waitUntil(lambda: page.table.labels == ("cat", "dog"))


def test_the_dots_are_the_layer_s_values(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.activation
    found = seven(qtbot, lab, page)
    assert [page.stages.itemText(index) for index in range(page.stages.count())] == [
        "ReLU (Convolution 1)", "ReLU (Convolution 2)", "ReLU (Convolution 3)", "ReLU (Dense 1)",
    ]  # fmt: skip
    page.stages.setCurrentIndex(3)
    number = page.stages.number
    assert number is not None
    (dots,) = [one for one in page.plot.series if one.mark is Mark.DOTS]
    np.testing.assert_array_equal(dots.x, np.sort(found.read(number)))
    np.testing.assert_array_equal(dots.y, np.sort(found.values(number)))
    assert page.formula.text() == "y = max(0, x)"
    assert [one.name for one in page.plot.series if one.mark is Mark.LINE] == ["ReLU"]
    page.functions.setCurrentIndex(page.functions.findData(Function.TANH))
    (dots,) = [one for one in page.plot.series if one.mark is Mark.DOTS]
    np.testing.assert_allclose(dots.y, np.tanh(dots.x))
    assert [one.name for one in page.plot.series if one.mark is Mark.LINE] == ["Tanh"]
    negative = (found.read(number) < 0).mean() * 100
    assert f"{negative:.1f} % are negative" in page.text.text()


def test_dropout_removes_values_of_the_layer(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.training
    found = seven(qtbot, lab, page)
    number = page.dropped.number
    assert number is not None
    assert found.network.stages[number].kind is StageKind.ACTIVATION
    assert len(found.values(number)) == 64
    text = page.dropout_text.text()
    assert "of 64 values are dropped; the others are multiplied by 1 / (1 − 0.50) = 2.00." in text
    click(page.again)
    assert page.dropout_text.text() != text
    page.rate.setValue(0)
    assert page.dropout_text.text().startswith("0 of 64 values are dropped")
    assert page.sheet.sheet is not None
    assert page.sheet.sheet.headings == ("Before", "Dropout")


def test_normalization_of_a_network_with_and_without_its_own(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.training
    found = seven(qtbot, lab, page)
    assert "Each map is normalized over its own values" in page.normalization_text.text()
    assert sum(page.before.series[0].y) == found.values(1).size
    cards = [page.models.itemData(index) for index in range(page.models.count())]
    index = [(card.name, card.version) for card in cards].index(("cifar10", 1))
    page.models.setCurrentIndex(index)
    qtbot.waitUntil(lambda: "The network's own batch normalization" in page.normalization_text.text())
    own = page.activations.values(2)
    middles = page.after.series[0].x
    assert own.min() < middles[0] < middles[-1] < own.max()
    fashion = [(card.name, card.version) for card in cards].index(("fashion_mnist", 1))
    page.models.setCurrentIndex(fashion)
    qtbot.waitUntil(lambda: page.normalization_text.text() == "The network has no convolution.")


def test_a_hidden_page_shows_the_newest_drawing_when_it_is_shown(qtbot: QtBot, lab: LabPage) -> None:
    seven(qtbot, lab, lab.softmax)
    draw(lab.picker.pad, ONE)
    lab.tabs.setCurrentWidget(lab.activation)

    def is_newest() -> bool:
        activations, newest = lab.activation.activations, lab.activation.lab_input
        return activations is not None and bool((activations.pixels == newest.pixels).all())

    qtbot.waitUntil(is_newest)
