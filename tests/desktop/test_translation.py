"""The German translation, and the window that uses it."""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from gestures import SEVEN, OpenWindow, draw, headline, settling
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

import desktop
from desktop.names import layer_type
from desktop.settings import Settings
from service.inference import Catalog
from service.inference.catalog import BUNDLED

PACKAGE = Path(desktop.__file__).parent
SOURCE = PACKAGE / "translations" / "lectern_de.ts"
TOOLS = Path(sys.executable).parent


def messages(path: Path) -> dict[tuple[str, str], str]:
    """Return the translations of a file by context and source; an unfinished one is empty."""
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            finished = translation.get("type") is None
            source = message.findtext("source")
            found[context.findtext("name"), source] = (translation.text or "") if finished else ""
    return found


def test_every_text_of_the_app_is_translated(tmp_path: Path) -> None:
    fresh = tmp_path / "lectern_de.ts"
    shutil.copy(SOURCE, fresh)
    files = [str(path) for path in sorted(PACKAGE.rglob("*.py"))]
    subprocess.run(
        [TOOLS / "pyside6-lupdate", *files, "-ts", fresh, "-no-obsolete", "-locations", "none"],
        check=True, capture_output=True,
    )  # fmt: skip
    translated = messages(fresh)
    assert len(translated) > 150
    assert [source for source, text in translated.items() if not text] == []
    assert set(translated) == set(messages(SOURCE))


def test_titles_labels_and_layers_of_all_models_are_translated() -> None:
    translated = messages(SOURCE)
    for card in Catalog(BUNDLED).cards():
        for part in card.title.split(": "):
            assert translated["Titles", part], card.title
        for layer in card.layers:
            assert translated["LayerTypes", layer_type(layer.type)], layer.type
        if card.name not in {"mnist", "imdb"}:
            assert all(translated["Labels", label] for label in card.labels), card.name


def test_translations_keep_placeholders_and_mnemonics() -> None:
    for (_, source), text in messages(SOURCE).items():
        assert sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", source)), source
        assert text.count("&") == source.count("&"), source
        assert ("…" in text) == ("…" in source), source


def test_the_compiled_file_is_current(tmp_path: Path) -> None:
    compiled = tmp_path / "lectern_de.qm"
    subprocess.run([TOOLS / "pyside6-lrelease", SOURCE, "-qm", compiled], check=True, capture_output=True)
    assert compiled.read_bytes() == SOURCE.with_suffix(".qm").read_bytes()


def test_the_window_is_german(qtbot: QtBot, open_window: OpenWindow) -> None:
    german = open_window(Settings(server="", language="de"))
    assert [german.tabs.tabText(index) for index in range(4)] == ["Zeichnen", "Bilder", "Text", "Ordner"]
    assert [menu.text() for menu in german.menuBar().actions()] == [
        "&Datei",
        "&Bearbeiten",
        "&Ansicht",
        "&Hilfe",
    ]
    assert headline(german) == "Zeichnen Sie eine Ziffer"
    with settling(qtbot, german):
        draw(german.draw_page.pad, SEVEN)
    assert re.fullmatch(r"\d+,\d %", german.panel.detail.text().lstrip("<> "))
    german.resize(1280, 700)  # with room for both
    qtbot.waitUntil(lambda: german.panel.duration.text().startswith("Dieser Rechner "))


def test_samples_are_named_by_their_german_labels(qtbot: QtBot, open_window: OpenWindow) -> None:
    german = open_window(Settings(server="", language="de", models={"pictures": "cats_vs_dogs"}))
    german.tabs.setCurrentIndex(1)
    names = [button.accessibleName() for button in german.pictures_page.samples.findChildren(QToolButton)]
    assert names[:1] + names[-1:] == ["Beispiel: Katze 1", "Beispiel: Hund 3"]
