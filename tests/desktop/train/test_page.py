"""The page *Train* in the window, with a command that prints events, and once with the real one."""

import threading
from pathlib import Path

import numpy as np
import pytest
from gestures import SEVEN, OpenWindow, click, draw
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from desktop.train import controls
from desktop.train.controls import Phase
from desktop.train.page import TrainPage
from desktop.train.plan import OWN_PICTURES, PRESETS, RECIPES
from desktop.window.main_window import MainWindow

DATA = Path(__file__).parents[2] / "data"


def wait_for(qtbot: QtBot, page: TrainPage, phase: Phase, timeout_ms: int = 30_000) -> None:
    """Wait until the page is in a phase, and its process has ended if the phase is one without."""
    qtbot.waitUntil(
        lambda: page.controls.phase is phase and not (phase.is_idle and page.is_busy), timeout=timeout_ms
    )


def choose(page: TrainPage, recipe: str) -> None:
    """Choose a recipe."""
    boxes = page.form.recipes
    boxes.setCurrentIndex(next(i for i in range(boxes.count()) if boxes.itemData(i).name == recipe))


@pytest.fixture
def page(train_window: MainWindow, fake_command: None) -> TrainPage:
    return train_window.train_page


def finish_first_run(qtbot: QtBot, page: TrainPage) -> None:
    """Train the first run, which waits after its first epoch, to its end."""
    click(page.controls.start)
    qtbot.waitUntil(lambda: page.filters.filters is not None)
    click(page.controls.stop)
    wait_for(qtbot, page, Phase.STOPPED)
    click(page.controls.pause)  # which says "Continue" now
    wait_for(qtbot, page, Phase.FINISHED)


def test_a_training_is_shown_live_paused_continued_stopped_and_resumed(qtbot: QtBot, page: TrainPage) -> None:
    draw(page.watched.pad, SEVEN)
    click(page.controls.start)
    assert not page.form.isEnabled()

    wait_for(qtbot, page, Phase.TRAINING)
    qtbot.waitUntil(lambda: "After 1 epochs" in page.watched.reading.text())
    assert page.controls.status.text() == "1234 parameters, 1000 training examples"
    assert {row.label: row.text() for row in page.watched.bars.rows}["7"] == "91.0 %"
    assert page.filters.title.text() == "First layer after 1 epochs: 2 filters of 3 × 3"
    click(page.controls.pause)
    wait_for(qtbot, page, Phase.PAUSED)
    assert page.controls.pause.text() == "Contin&ue"
    click(page.controls.pause)
    wait_for(qtbot, page, Phase.TRAINING)
    click(page.controls.stop)
    wait_for(qtbot, page, Phase.STOPPED)
    assert page.controls.status.text() == "Stopped after 1 epochs"
    click(page.controls.pause)
    wait_for(qtbot, page, Phase.FINISHED)

    assert page.controls.status.text() == "6 epochs in 1.5 s. Validation accuracy 80.0 %"
    assert [len(one.x) for one in page.curves.loss.series] == [6, 6]
    assert page.form.isEnabled()


def test_overfitting_is_marked_in_the_curves(qtbot: QtBot, page: TrainPage) -> None:
    finish_first_run(qtbot, page)

    assert page.curves.loss.span == (3.0, 6.0)
    assert page.curves.verdict.text().startswith("Overfitting since epoch 3")


def test_an_earlier_run_is_shown_beside(qtbot: QtBot, page: TrainPage) -> None:
    finish_first_run(qtbot, page)
    assert [page.earlier.itemText(i) for i in range(page.earlier.count())] == ["No other run"]

    page.form.presets.setCurrentIndex(2)
    click(page.controls.start)
    wait_for(qtbot, page, Phase.FINISHED)
    page.earlier.setCurrentText("mnist-dense-1")

    assert [one.name for one in page.curves.loss.series] == ["Training", "Validation", "", "mnist-dense-1"]


def test_the_drawing_of_the_first_page_is_taken_over(
    qtbot: QtBot, fake_command: None, open_window: OpenWindow, tmp_path: Path
) -> None:
    window = open_window(data=tmp_path / "data")
    draw(window.draw_page.pad, SEVEN)
    window.tabs.show_tool(window.train_page)
    assert window.train_page.watched.pad.strokes == window.draw_page.pad.strokes


def test_the_watched_input_follows_the_pad_while_the_training_runs(qtbot: QtBot, page: TrainPage) -> None:
    click(page.controls.start)
    qtbot.waitUntil(lambda: page.filters.filters is not None)
    (watched,) = page._store.folder.glob("*/watched-input")
    assert watched.read_bytes() == b""
    draw(page.watched.pad, SEVEN)
    qtbot.waitUntil(lambda: watched.read_bytes().startswith(b"\x89PNG"))
    click(page.controls.stop)
    wait_for(qtbot, page, Phase.STOPPED)


def test_a_command_that_fails_says_why(qtbot: QtBot, page: TrainPage) -> None:
    choose(page, "cifar10-bn-elu")
    click(page.controls.start)
    wait_for(qtbot, page, Phase.IDLE)
    assert "MemoryError: too large" in page.controls.status.text()
    assert page.controls.start.isEnabled()


def test_a_failed_export_leaves_the_run_to_be_used_again(qtbot: QtBot, page: TrainPage) -> None:
    finish_first_run(qtbot, page)
    click(page.controls.use)
    wait_for(qtbot, page, Phase.FINISHED)
    assert page.controls.status.text() == "the disk is full"
    assert page.controls.use.isEnabled()


def test_stop_before_the_first_step_ends_the_command_at_once(qtbot: QtBot, page: TrainPage) -> None:
    choose(page, "imdb-dense")
    click(page.controls.start)
    wait_for(qtbot, page, Phase.STARTING)
    click(page.controls.stop)
    wait_for(qtbot, page, Phase.IDLE)
    assert page.controls.status.text() == "Stopped after 0 epochs"


def test_closing_asks_while_a_training_runs(
    qtbot: QtBot, page: TrainPage, train_window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(page.controls.start)
    wait_for(qtbot, page, Phase.TRAINING)
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Close]
    asked: list[str] = []
    monkeypatch.setattr(
        QMessageBox, "question", lambda *words: asked.append(words[2]) or answers[len(asked) - 1]
    )

    train_window.close()
    assert train_window.isVisible()
    assert page.is_busy
    train_window.close()
    assert not train_window.isVisible()
    assert not page.is_busy
    assert len(asked) == 2
    assert asked[0].startswith("A training is running")


def test_without_tensorflow_the_page_says_what_to_install(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "missing_packages", lambda: ("tensorflow",))
    window = open_window(data=tmp_path / "data")
    window.tabs.show_tool(window.train_page)
    page = window.train_page

    assert not page.controls.start.isEnabled()
    assert "Training needs TensorFlow" in page.controls.status.text()
    assert page.controls.install.isVisible()
    script = tmp_path / "run"
    script.write_text("print('installing what ./run train needs')")
    monkeypatch.setattr("desktop.train.page.setup_script", lambda: script)
    monkeypatch.setattr(controls, "missing_packages", lambda: ())
    click(page.controls.install)
    qtbot.waitUntil(lambda: not page.is_busy)
    assert page.controls.start.isEnabled()
    assert not page.controls.install.isVisible()


def test_a_failed_installation_says_why(
    qtbot: QtBot, train_window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "run"
    script.write_text("import sys; sys.exit('run: the disk has 3 MB free')")
    monkeypatch.setattr("desktop.train.page.setup_script", lambda: script)
    page = train_window.train_page
    page._install()
    qtbot.waitUntil(lambda: not page.is_busy)
    assert page.controls.status.text() == "run: the disk has 3 MB free"


def test_presets_and_own_settings(page: TrainPage) -> None:
    form = page.form
    for number, preset in enumerate(PRESETS, start=1):
        form.presets.setCurrentIndex(number)
        assert form.plan == preset.plan
    form.epochs.setValue(3)
    assert form.presets.currentIndex() == 0
    assert form.plan.epochs == 3
    choose(page, OWN_PICTURES.name)
    assert not page.controls.start.isEnabled()
    form.choose_folder(DATA)
    assert page.controls.start.isEnabled()
    assert form.plan.folder == DATA
    choose(page, RECIPES[0].name)
    assert form.plan.folder is None


@pytest.mark.timeout(300)
def test_a_real_training_becomes_a_model_of_the_app(
    qtbot: QtBot, train_window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with np.load(DATA / "mnist.npz") as sample:
        x, y = sample["x"], sample["y"]
    np.savez(cache / "mnist.npz", x_train=x[:400], y_train=y[:400], x_test=x[400:], y_test=y[400:])
    monkeypatch.setenv("LECTERN_DATA", str(cache))
    page = train_window.train_page
    page.form.epochs.setValue(2)
    page.form.examples.setCurrentIndex(page.form.examples.findData(None))
    draw(page.watched.pad, SEVEN)
    blocked = _longest_pause(qtbot)

    click(page.controls.start)
    wait_for(qtbot, page, Phase.FINISHED, timeout_ms=120_000)
    assert page.filters.filters is not None
    assert page.filters.filters.epoch == 2
    click(page.controls.use)
    wait_for(qtbot, page, Phase.FINISHED, timeout_ms=120_000)
    qtbot.waitUntil(lambda: train_window.tabs.currentWidget() is train_window.draw_page)
    qtbot.waitUntil(
        lambda: (
            train_window.controller.model is not None
            and train_window.controller.model.name == "mnist-dense-1"
        )
    )
    draw(train_window.draw_page.pad, SEVEN)
    qtbot.waitUntil(
        lambda: (
            train_window.controller.response is not None
            and train_window.controller.response.result.prediction.model == "mnist-dense-1"
        )
    )
    assert threading.current_thread() is threading.main_thread()
    assert blocked() < 1.0


def _longest_pause(qtbot: QtBot) -> "object":
    """Return a function that returns the longest time in seconds between two ticks of the window's thread."""
    import time

    from PySide6.QtCore import QTimer

    last, longest = [time.monotonic()], [0.0]

    def tick() -> None:
        now = time.monotonic()
        longest[0] = max(longest[0], now - last[0])
        last[0] = now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(10)

    def result() -> float:
        timer.stop()
        return longest[0]

    return result


def test_a_folder_that_cannot_be_written_is_reported(page: TrainPage, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "runs").write_text("a file in place of the folder")
    click(page.controls.start)
    assert "cannot be read or written" in page.controls.status.text()
    assert page.controls.phase is Phase.IDLE
    assert page.form.isEnabled()
