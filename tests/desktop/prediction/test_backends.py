"""Local predictions of drawings, and requests of a server backend that is closed."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_server import FakeServer
from gestures import SEVEN, draw, settling
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.drawing.stroke_painter import render
from desktop.drawing.strokes import Stroke, StrokePoint
from desktop.pictures.images import encode_png, pillow_of
from desktop.prediction.backends import LocalBackend, ServerBackend
from desktop.window.main_window import MainWindow
from service.client import ConnectionFailed
from service.inference import Predictor
from service.inference.errors import BlankImage, InvalidInput
from service.inference.preprocessing import prepare_digit


@pytest.fixture
def server(models: Path) -> Iterator[FakeServer]:
    server = FakeServer(models)
    yield server
    server.kill()


def drawing(*points: tuple[float, float]) -> Image.Image:
    return pillow_of(render([Stroke(tuple(StrokePoint(x, y) for x, y in points))]))


DRAWINGS = [
    drawing((140, 110), (300, 110), (200, 350)),
    drawing((224, 80), (224, 360)),
    drawing((224, 224)),
    drawing((0, 0), (448, 448)),
    drawing((140, 110), (300, 350)).point(lambda level: level // 3),
]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("image", DRAWINGS)
def test_a_drawing_is_predicted_as_its_png_file(models: Path, image: Image.Image, version: int) -> None:
    backend = LocalBackend(models)
    (direct,) = backend.predict("mnist", [image], version=version)
    (encoded,) = backend.predict("mnist", [encode_png(image)], version=version)
    assert direct.prediction == encoded.prediction


def test_local_errors_of_a_drawing_are_those_of_its_file(models: Path) -> None:
    backend = LocalBackend(models)
    with pytest.raises(BlankImage):
        backend.predict("mnist", [Image.new("L", (448, 448))], version=None)
    with pytest.raises(InvalidInput, match="send a text"):
        backend.predict("imdb", [DRAWINGS[0]], version=None)


def test_no_stroke_is_encoded_for_the_local_backend(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[object] = []
    for module in ("desktop.prediction.backends", "desktop.pictures.images"):
        monkeypatch.setattr(f"{module}.encode_png", encoded.append)
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert encoded == []


def test_a_local_stroke_is_preprocessed_once(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[object] = []
    original = Predictor.examine_image
    monkeypatch.setattr(
        Predictor, "examine_image", lambda self, image: prepared.append(image) or original(self, image)
    )
    monkeypatch.setattr("desktop.prediction.controller.picture_preparation", prepared.append)
    count = 0

    def add_response() -> None:
        nonlocal count
        count += 1

    window.controller.completed.connect(add_response)
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    pixels = window.controller.response.result.pixels
    assert len(prepared) == count
    assert np.array_equal(window.panel.preview.pixels, pixels)
    assert np.array_equal(pixels, prepare_digit(pillow_of(window.draw_page.pad.picture)))


def test_results_have_the_pixels_of_pictures_but_not_of_texts(models: Path) -> None:
    backend = LocalBackend(models)
    (drawing_result,) = backend.predict("mnist", [DRAWINGS[0]], version=None)
    assert np.array_equal(drawing_result.pixels, prepare_digit(DRAWINGS[0]))
    (text_result,) = backend.predict("imdb", ["good"], version=None)
    assert text_result.pixels is None


def test_a_server_gets_a_drawing_as_png(server: FakeServer, models: Path) -> None:
    (remote,) = ServerBackend(server.url).predict("mnist", [DRAWINGS[0]], version=2)
    (local,) = LocalBackend(models).predict("mnist", [DRAWINGS[0]], version=2)
    assert remote.prediction.scores == pytest.approx(local.prediction.scores)


def test_closing_lets_active_requests_finish_and_refuses_new_ones(server: FakeServer) -> None:
    backend = ServerBackend(server.url, timeout_s=20)
    server.behaviour = "slow"
    results: list[object] = []
    thread = threading.Thread(
        target=lambda: results.extend(backend.predict("mnist", [DRAWINGS[0]], version=2))
    )
    thread.start()
    assert server.requested.wait(5)
    backend.close()
    with pytest.raises(ConnectionFailed, match="closed"):
        backend.models()
    server.release.set()
    thread.join(10)
    assert len(results) == 1


def test_a_damaged_version_of_an_own_model_leaves_the_others(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "mnist" / "1", tmp_path / "mine" / "1")
    card = tmp_path / "mine" / "1" / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "name": "mine"}))
    (tmp_path / "mine" / "2").mkdir()
    (tmp_path / "mine" / "2" / "card.json").write_text("{")
    backend = LocalBackend(models, own=tmp_path)
    *_, mine = backend.models()
    assert (mine.name, mine.versions) == ("mine", (1,))
    assert backend.reads_drawings("mine")
