"""Tests the page of words in the main window."""

import pytest
from gestures import OpenWindow, press
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from desktop.lab.page import LabPage
from desktop.lab.words.page import WordsPage
from desktop.lab.words.samples import PRAISE, REJECTION
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.preprocessing.text import spelling


@pytest.fixture
def lab(qtbot: QtBot, open_window: OpenWindow) -> LabPage:
    window = open_window(models=BUNDLED)
    press(window, "Ctrl+5")
    window.lab_page.tabs.setCurrentWidget(window.lab_page.words)
    qtbot.waitUntil(lambda: window.lab_page.words.analysis is not None)
    return window.lab_page


def backgrounds(page: WordsPage) -> dict[str, QColor]:
    """Return the background of each coloured part of the first paragraph."""
    block = page.editor.document().firstBlock()
    return {
        block.text()[one.start : one.start + one.length].strip(): QColor(one.format.background().color())
        for one in block.layout().formats()
    }


def test_a_sample_is_coloured_and_summed(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.words
    assert page.editor.toPlainText() == PRAISE
    assert page.models.currentText() == "Film reviews, version 3"
    score = Catalog(BUNDLED).predictor("imdb", 3).predict([PRAISE])[0]
    assert score.best.label == "positive"
    assert page.sum.text().endswith(f"Probability of positive: {score.best.score * 100:.1f} %")
    assert page.note.text().startswith("The network is not linear")
    red = backgrounds(page)["wonderful"]
    assert red.red() > red.blue()
    terms = dict(page.analysis.terms)
    assert terms["wonderful"] > 0
    name, value = page.analysis.terms[0]
    assert page.table.item(0, 0).text() == spelling(name)
    assert page.table.item(0, 1).text() == f"{value:+.2f}".replace("-", "−")


def test_typing_and_another_network_give_new_numbers(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.words
    page.editor.setPlainText("An awful film. Wonderful music.")
    qtbot.waitUntil(lambda: page.analysis is not None and page.analysis.text.startswith("An awful"))
    colors = backgrounds(page)
    awful, wonderful = (colors[word] for word in ("awful", "Wonderful"))
    assert awful.blue() > awful.red()
    assert wonderful.red() > wonderful.blue()
    assert page.sum.text().startswith("Logit")
    page.models.setCurrentIndex(1)
    qtbot.waitUntil(lambda: page.note.text().startswith("The network is linear"))
    assert page.sum.text().startswith("Bias + words for")
    page.editor.setPlainText("zzzz qqqq")
    qtbot.waitUntil(lambda: page.analysis is None)
    assert page.sum.text() != ""
    assert page.table.rowCount() == 0
    page.editor.clear()
    qtbot.waitUntil(lambda: page.sum.text() == "Write a review")


def test_a_sample_can_be_chosen_and_undone(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.words
    page.samples.setCurrentIndex(2)
    page.samples.activated.emit(2)
    qtbot.waitUntil(lambda: page.analysis is not None and page.analysis.text == REJECTION)
    assert page.analysis.score < 0.5
    page.editor.undo()
    assert page.editor.toPlainText() == PRAISE


def test_the_picker_is_hidden_beside_words(lab: LabPage) -> None:
    assert not lab.picker.isVisible()
    lab.tabs.setCurrentWidget(lab.network)
    assert lab.picker.isVisible()


def test_words_after_an_emoji_are_coloured(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.words
    page.editor.setPlainText("😀 😀 awful. Wonderful")
    qtbot.waitUntil(lambda: page.analysis is not None and page.analysis.text.startswith("😀"))
    places = [
        (one.start, one.length)
        for one in page.editor.document().firstBlock().layout().formats()
        if one.format.background().color().alpha()
    ]
    # Qt counts each of the two emojis as two.
    assert {(6, 5), (13, 9)} <= set(places)
