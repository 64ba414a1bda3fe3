"""Own pictures that were changed have other splits, so a network of earlier ones is not measured on them."""

from pathlib import Path

import pytest
from click.testing import Result
from training_commands import add_pictures, call

from training import cli
from training.errors import DatasetError, RunError


def _train(own_pictures: Path, tmp_path: Path, *words: object) -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models")
    options = ("--data", own_pictures, "--width", 0.2, "--batch-size", 8, "--epochs", 1)
    return call(cli.train, "cats-dogs-scratch", *options, *folders, *words)


@pytest.mark.parametrize("words", [(), ("--recalibrate",)])
def test_a_model_is_not_measured_on_changed_pictures(
    tmp_path: Path, own_pictures: Path, words: tuple[str, ...]
) -> None:
    _train(own_pictures, tmp_path)
    card = tmp_path / "models" / "my_pets" / "1" / "card.json"
    before = card.read_bytes()
    add_pictures(own_pictures)

    with pytest.raises(DatasetError, match=r"My pets: has changed since my_pets 1 was trained on it"):
        call(cli.evaluate, "my_pets", "--models", tmp_path / "models", "--data", own_pictures, *words)
    assert card.read_bytes() == before


def test_a_run_on_earlier_pictures_is_not_continued(tmp_path: Path, own_pictures: Path) -> None:
    _train(own_pictures, tmp_path, "--run", "earlier")
    add_pictures(own_pictures)

    with pytest.raises(
        RunError, match=r"earlier: the data of my_pets has changed since the run, so its network"
    ):
        _train(own_pictures, tmp_path, "--init-from", "earlier", "--run", "later")
