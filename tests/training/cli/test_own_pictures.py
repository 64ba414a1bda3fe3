"""Pictures of the user's: a model of a folder, further examples, and folders that do not fit."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from training_commands import add_pictures, call, export, train

from service.inference.card import read_card
from service.inference.catalog import Catalog
from training import cli
from training.errors import DatasetError, RunError


def test_folder_of_own_images_becomes_a_model(tmp_path: Path, own_pictures: Path) -> None:
    result = call(
        cli.train,
        "cats-dogs-scratch",
        *("--data", own_pictures, "--epochs", 2, "--width", 0.2, "--batch-size", 8),
        *("--runs", tmp_path / "runs", "--models", tmp_path / "models"),
    )

    assert "skipped Cat/broken.jpg: " in result.output
    hint = f"Try it: LECTERN_MODELS={tmp_path / 'models'} ./run predict my_pets picture.jpg"
    assert hint in result.output
    predictor = Catalog(tmp_path / "models").predictor("my_pets")
    (answer,) = predictor.predict([next((own_pictures / "Dog").iterdir()).read_bytes()])
    assert {score.label for score in answer.scores} == {"Cat", "Dog"}
    again = ("my_pets", "--models", tmp_path / "models", "--data", own_pictures)
    assert call(cli.evaluate, *again).exit_code == 0


def _train_on(own_pictures: Path, tmp_path: Path, *words: object) -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models", "--run", "pets")
    options = ("--data", own_pictures, "--width", 0.2, "--batch-size", 8)
    return call(cli.train, "cats-dogs-scratch", *options, *folders, *words)


def test_resume_is_refused_after_images_were_added(tmp_path: Path, own_pictures: Path) -> None:
    _train_on(own_pictures, tmp_path, "--epochs", 1)
    add_pictures(own_pictures)

    with pytest.raises(RunError, match=r"pets: the data of my_pets has changed since the run began"):
        _train_on(own_pictures, tmp_path, "--epochs", 1, "--resume")


def test_export_is_refused_after_an_image_was_replaced(tmp_path: Path, own_pictures: Path) -> None:
    _train_on(own_pictures, tmp_path, "--epochs", 1)
    first, second, *_ = (path for path in sorted((own_pictures / "Cat").iterdir()) if path.stem.isdigit())
    first.write_bytes(second.read_bytes())

    with pytest.raises(RunError, match=r"pets: the data of my_pets has changed since the run"):
        export(tmp_path, "--run", "pets", "--data", own_pictures, recipe="cats-dogs-scratch")


def _misread(folder: Path, *labels: str) -> Path:
    random = np.random.default_rng(6)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(3):
            drawing = Image.new("L", (90, 90), 255)
            drawing.paste(0, (30, 10, 30 + int(random.integers(8, 30)), 80))
            drawing.save(folder / label / f"{number}.png")
    return folder


def test_extra_images_are_added_to_the_training_split(tmp_path: Path, mnist_cache: Path) -> None:
    folder = _misread(tmp_path / "misread", "1", "7")
    (folder / "7" / "[damaged].png").write_bytes(b"no picture")

    trained = train(tmp_path, "--extra", folder)
    export(tmp_path)

    assert trained.exit_code == 0
    assert "skipped 7/[damaged].png" in trained.output
    card = read_card(tmp_path / "models" / "mnist" / "1" / "card.json")
    assert card.training.splits["extra"] == 6
    assert call(cli.evaluate, "mnist", "--models", tmp_path / "models").exit_code == 0


def test_extra_images_of_the_test_split_are_left_out(tmp_path: Path, mnist_cache: Path) -> None:
    folder = tmp_path / "misread"
    (folder / "7").mkdir(parents=True)
    with np.load(mnist_cache / "mnist.npz") as digits:
        for number, (digit, label) in enumerate(zip(digits["x_test"], digits["y_test"], strict=True)):
            if label == 7 and number < 30:
                Image.fromarray(digit).save(folder / "7" / f"{number}.png")
    copies = len(list((folder / "7").iterdir()))

    with pytest.raises(
        DatasetError, match=rf"has only {copies} images of the validation or test split of mn"
    ):
        train(tmp_path, "--extra", folder)
    _misread(folder, "1")

    trained = train(tmp_path, "--extra", folder)

    assert f"skipped {copies} images of the validation or test split of mnist" in trained.output
    export(tmp_path)
    assert read_card(tmp_path / "models" / "mnist" / "1" / "card.json").training.splits["extra"] == 3


def test_extra_folder_that_is_not_a_label_is_refused(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(DatasetError, match="eleven: is not a label; the labels are 0, 1"):
        train(tmp_path, "--extra", _misread(tmp_path / "misread", "1", "eleven"))


def test_a_model_is_not_measured_on_pictures_with_other_labels(exported: Path, own_pictures: Path) -> None:
    card = exported / "models" / "mnist" / "1" / "card.json"
    before = card.read_bytes()

    for command, words in (
        (cli.evaluate, ["--record"]),
        (cli.evaluate, ["--recalibrate"]),
        (cli.quantize, []),
    ):
        with pytest.raises(DatasetError, match=r"My pets: has the labels Cat, Dog, and mnist 1 has 0, 1, "):
            call(command, "mnist", "--data", own_pictures, "--models", exported / "models", *words)
    assert card.read_bytes() == before


def test_own_pictures_of_a_run_are_named_in_the_export(
    tmp_path: Path, own_pictures: Path, mnist_cache: Path
) -> None:
    train(tmp_path, "--data", own_pictures, "--run", "pets", "--models", tmp_path / "models")

    with pytest.raises(RunError, match=r"pets: is a run of .*; name that with --data '.*My pets'"):
        export(tmp_path, "--run", "pets")
