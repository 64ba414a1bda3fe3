"""The page *Teach* in the window: examples by hand and from folders become a model of the app."""

import io
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gestures import DASH, Line, OpenWindow, click, draw, headline, teach
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.teach.example_set import ExampleSet, clean_label
from desktop.teach.lesson import Lesson
from desktop.teach.page import TeachPage
from desktop.teach.teacher import Taught, Teacher, TeachingError
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.predictor import Predictor

DATA = Path(__file__).parents[2] / "data"
CORNER: Line = ((0.3, 0.25), (0.3, 0.75), (0.7, 0.75))


def shifted(line: Line, number: int) -> Line:
    """Return a stroke that is a little different."""
    shift = (number - 1) * 0.03
    return tuple(
        (x + shift, y - shift / 2 + 0.02 * ((number + place) % 2)) for place, (x, y) in enumerate(line)
    )


def add(page: TeachPage, label: str, line: Line, count: int = 4) -> None:
    page.input.label.setText(label)
    for number in range(count):
        draw(page.input.pad, shifted(line, number))
        click(page.input.add)


def test_drawings_of_own_labels_become_a_model_that_reads_drawings(qtbot: QtBot, window: MainWindow) -> None:
    page = window.teach_page
    add(page, "L", CORNER)
    add(page, "minus", DASH)
    labels = page.list.labels
    assert [labels.item(row).text() for row in range(labels.count())] == ["L · 4", "minus · 4"]
    assert page.list.tiles.count() == 4
    assert page.input.pad.is_blank

    teach(qtbot, window)
    assert page.status.text().startswith("my-model 1 is a model now. 100.0 % of 8 examples are right")
    click(page.use)
    qtbot.waitUntil(lambda: window.tabs.currentWidget() is window.draw_page)
    qtbot.waitUntil(
        lambda: window.controller.model is not None and window.controller.model.name == "my-model"
    )

    draw(window.draw_page.pad, CORNER)
    qtbot.waitUntil(lambda: headline(window) == "L")
    window.draw_page.clear()
    draw(window.draw_page.pad, DASH)
    qtbot.waitUntil(lambda: headline(window) == "minus")


def test_examples_and_models_are_there_after_a_restart(
    qtbot: QtBot, window: MainWindow, open_window: OpenWindow, tmp_path: Path
) -> None:
    add(window.teach_page, "L", CORNER)
    add(window.teach_page, "minus", DASH)
    teach(qtbot, window)
    window.close()

    again = open_window(models=BUNDLED, data=tmp_path / "data")
    assert len(again.teach_page.examples) == 8
    assert again.controller.models[-1].name == "my-model"
    assert again.controller.model is not None
    assert again.controller.model.name == "mnist"


def test_too_few_examples_are_refused_with_the_number(qtbot: QtBot, window: MainWindow) -> None:
    page = window.teach_page
    assert not page.teach.isEnabled()
    add(page, "L", CORNER, count=2)
    add(page, "minus", DASH)
    teach(qtbot, window)
    assert "L: has 2 examples" in page.status.text()
    assert not page.use.isEnabled()


def test_an_example_is_removed_with_the_delete_key(qtbot: QtBot, window: MainWindow) -> None:
    page = window.teach_page
    add(page, "L", CORNER, count=3)
    page.list.tiles.setFocus()
    page.list.tiles.setCurrentRow(0)
    page.list.remove.trigger()
    assert len(page.examples) == 2


def test_a_wrong_name_is_refused(qtbot: QtBot, window: MainWindow) -> None:
    page = window.teach_page
    page.form.name.setEditText("../etc")
    add(page, "L", CORNER, count=3)
    click(page.teach)
    assert page.status.text().startswith("A name has letters")


def test_a_folder_of_photos_becomes_a_model(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    with np.load(DATA / "cifar10.npz") as sample:
        for name, number in (("frog", 6), ("ship", 8)):
            (folder / name).mkdir(parents=True)
            for place in np.flatnonzero(sample["y"].ravel() == number)[:12]:
                Image.fromarray(sample["x"][place]).save(folder / name / f"{place}.png")
    (folder / "frog" / "notes.txt").write_text("no picture")
    (folder / "frog" / "broken.png").write_bytes(b"\x89PNG and nothing")
    page = window.teach_page
    page.form.name.setEditText("pond")
    page.add_folder(folder)
    qtbot.waitUntil(lambda: len(page.examples) == 24)
    page.form.suit(drawn=False)
    assert page.form.base is not None
    assert page.form.base.name == "cats_vs_dogs"

    teach(qtbot, window)
    click(page.use)
    qtbot.waitUntil(lambda: window.tabs.currentWidget() is window.pictures_page)
    qtbot.waitUntil(lambda: window.controller.model is not None and window.controller.model.name == "pond")
    card = Catalog(tmp_path / "data" / "models").card("pond")
    assert card.labels == ("frog", "ship")
    assert card.metrics.accuracy > 0.75


def test_a_folder_without_pictures_is_reported(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "empty" / "frog").mkdir(parents=True)
    page = window.teach_page
    page.add_folder(tmp_path / "empty")
    qtbot.waitUntil(lambda: page.status.text().startswith("The subfolders of this folder have no"))


def lesson(folder: Path, **changes: object) -> Lesson:
    fields = {
        "name": "mine", "base": "mnist", "version": 2, "examples": ExampleSet(folder).examples(),
        "keep_labels": True,
    }  # fmt: skip
    return Lesson(**{**fields, **changes})


def last(results: object) -> Taught:
    *_, taught = results
    return taught


def test_corrections_are_learned_and_the_rest_is_kept(tmp_path: Path) -> None:
    """Sevens that lean far are learned from twelve examples."""
    with np.load(DATA / "mnist.npz") as sample:
        x, y = sample["x"], sample["y"]
    catalog, store, leaning = Catalog(BUNDLED), ExampleSet(tmp_path / "examples"), []
    for number, seven in enumerate(x[y == 7]):
        stream = io.BytesIO()
        Image.fromarray(np.pad(seven, 16)).rotate(-55, Image.Resampling.BICUBIC).save(stream, "PNG")
        if number < 12:
            store.add("7", stream.getvalue())
        else:
            leaning.append(stream.getvalue())

    taught = last(Teacher(lambda: catalog, tmp_path / "models").teach(lesson(store.folder)))

    def right(predictor: Predictor) -> float:
        return float(np.mean([one.best.label == "7" for one in predictor.predict(leaning)]))

    new = Catalog(tmp_path / "models")
    assert taught.card.labels == tuple("0123456789")
    assert right(catalog.predictor("mnist", 2)) < 0.5
    assert right(new.predictor("mine")) > 0.7
    rows = new.predictor("mine").probabilities(x).argmax(axis=1)
    assert (rows == y).mean() > 0.97
    assert new.explainer("mine").layers  # the feature maps are still there


def test_a_label_is_added_to_those_of_the_base(tmp_path: Path) -> None:
    store = ExampleSet(tmp_path / "examples")
    for number, slant in itertools.product(range(4), range(2)):
        cross = Image.new("L", (100, 100))
        for step in range(60):
            cross.paste(255, (20 + step, 20 + step, 27 + step, 27 + step + slant))
            cross.paste(255, (80 - step + number, 20 + step, 87 - step + number, 27 + step))
        path = tmp_path / "cross.png"
        cross.save(path)
        store.add("x", path.read_bytes())
    catalog = Catalog(BUNDLED)
    taught = last(Teacher(lambda: catalog, tmp_path / "models").teach(lesson(store.folder)))

    assert taught.card.labels == (*"0123456789", "x")
    predictor = Catalog(tmp_path / "models").predictor("mine")
    assert predictor.predict([path.read_bytes()])[0].best.label == "x"
    with np.load(DATA / "mnist.npz") as sample:
        rows = predictor.probabilities(sample["x"]).argmax(axis=1)
        assert (rows == sample["y"]).mean() > 0.98


@pytest.mark.parametrize("keep", [True, False])
def test_nothing_to_teach_is_an_error(tmp_path: Path, keep: bool) -> None:
    catalog = Catalog(BUNDLED)
    with pytest.raises(TeachingError):
        last(Teacher(lambda: catalog, tmp_path).teach(lesson(tmp_path, keep_labels=keep)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" A ", "A"), ("T-shirt/top", "T-shirt_top"), ("..", ""), ("a" * 99, "a" * 40), ("ü", "ü")],
)
def test_labels_can_be_names_of_folders(text: str, expected: str) -> None:
    assert clean_label(text) == expected


def test_files_that_cannot_be_read_are_left_out(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    label = tmp_path / "photos" / "frog"
    label.mkdir(parents=True)
    (label / "a.png").symlink_to(label / "missing.png")
    Image.new("L", (28, 28), 9).save(label / "b.png")
    page = window.teach_page
    page.add_folder(tmp_path / "photos")
    assert not page.open.isEnabled()
    qtbot.waitUntil(page.open.isEnabled)
    assert [example.label for example in page.examples] == ["frog"]


def test_examples_that_cannot_be_written_are_reported(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    label = tmp_path / "photos" / "frog"
    label.mkdir(parents=True)
    Image.new("L", (28, 28), 9).save(label / "b.png")
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "examples").write_text("a file in place of the folder")
    page = window.teach_page
    page.add_folder(tmp_path / "photos")
    qtbot.waitUntil(page.open.isEnabled)
    assert "cannot be read or written" in page.status.text()


def test_a_folder_is_added_to_the_set_that_was_chosen_then(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, add = threading.Event(), threading.Event(), ExampleSet.add

    def slow(self: ExampleSet, label: str, data: bytes) -> Path:
        begun.set()
        go_on.wait(10)
        return add(self, label, data)

    label = tmp_path / "photos" / "frog"
    label.mkdir(parents=True)
    Image.new("L", (28, 28), 9).save(label / "b.png")
    monkeypatch.setattr(ExampleSet, "add", slow)
    page = window.teach_page
    page.form.name.setEditText("pond")
    page.add_folder(tmp_path / "photos")
    page.form.name.setEditText("sea")
    begun.wait(10)
    go_on.set()
    qtbot.waitUntil(page.open.isEnabled)
    assert [path.parts[-2] for path in (tmp_path / "data" / "examples" / "pond").glob("*/*")] == ["frog"]


def test_an_example_can_be_added_while_the_network_is_taught(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, go_on = window.teach_page, threading.Event()

    def slow(lesson: Lesson) -> Iterator[object]:
        go_on.wait(10)
        yield from ()
        raise TeachingError("nothing was taught")

    monkeypatch.setattr(page._teacher, "teach", slow)
    add(page, "L", CORNER)
    click(page.teach)
    add(page, "L", CORNER, count=1)
    assert page.progress.isVisible()
    assert not page.teach.isEnabled()
    go_on.set()
    qtbot.waitUntil(page.teach.isEnabled)
    assert page.status.text() == "nothing was taught"


def test_an_example_whose_folder_is_gone_can_be_removed(tmp_path: Path) -> None:
    store = ExampleSet(tmp_path)
    path = store.add("frog", (DATA / "pictures" / "ship.png").read_bytes())
    (example,) = store.examples()
    path.unlink()
    path.parent.rmdir()
    store.remove(example)
    assert store.examples() == ()


def test_the_name_of_a_model_of_the_app_is_refused(tmp_path: Path) -> None:
    catalog = Catalog(BUNDLED)
    with pytest.raises(TeachingError, match="mnist: is the name of another model"):
        last(Teacher(lambda: catalog, tmp_path / "models").teach(lesson(tmp_path, name="mnist")))


def test_the_newest_version_of_a_taught_model_is_used(qtbot: QtBot, window: MainWindow) -> None:
    page = window.teach_page
    add(page, "L", CORNER)
    add(page, "minus", DASH)
    for version in (1, 2):
        window.tabs.show_tool(page)
        teach(qtbot, window)
        click(page.use)
        qtbot.waitUntil(lambda: window.tabs.currentWidget() is window.draw_page)
        qtbot.waitUntil(
            lambda version=version: (
                window.controller.model is not None
                and (window.controller.model.name, window.controller.version) == ("my-model", version)
            )
        )
