"""The command ``train``: it resumes, cross-validates, and refuses options that have no effect."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from training_commands import call, train

from training import cli
from training.errors import RecipeError, RunError, TrainingError


def test_resume_continues_after_the_last_finished_epoch(tmp_path: Path, imdb_cache: Path) -> None:
    words = ("imdb-dense", "--width", 0.5, "--batch-size", 16, "--runs", tmp_path / "runs")
    call(cli.train, *words, "--epochs", 2)

    result = call(cli.train, *words, "--epochs", 3, "--resume")

    assert "epoch   3/3" in result.output
    assert "epoch   2/3" not in result.output


def test_resume_with_other_settings_is_refused(trained: Path) -> None:
    with pytest.raises(RunError, match="the run has other values of --l2; resume it without these options"):
        train(trained, "--l2", 0.1, "--resume")


def test_folds_print_mean_and_standard_deviation(tmp_path: Path, mnist_cache: Path) -> None:
    result = train(tmp_path, "--folds", 3)

    accuracies = [float(line.split()[-1]) for line in result.output.splitlines() if line.startswith("fold ")]
    assert len(accuracies) == 3
    mean, spread = (float(word) for word in re.findall(r"(?:mean|deviation) ([0-9.]+)", result.output))
    assert mean == pytest.approx(np.mean(accuracies), abs=1e-4)
    assert spread == pytest.approx(np.std(accuracies, ddof=1), abs=2e-4)


def test_too_many_folds_are_refused(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be divided into 36 folds; choose from 2 to 35"):
        train(tmp_path, "--folds", 36)
    assert "1 is not in the range x>=2" in train(tmp_path, "--folds", 1).output


@pytest.mark.parametrize(
    ("recipe", "words", "option"),
    [
        ("imdb-dense", ("--augment", "flip"), "--augment"),
        ("imdb-dense", ("--augment", "contrast"), "--augment"),
        ("fashion-residual", ("--pooling", "none"), "--pooling"),
        ("cifar10-deep", ("--no-batch-norm",), "--batch-norm"),
        ("imdb-dense", ("--rotation", 20), "--rotation"),
        ("imdb-bigrams", ("--dropout", 0.1), "--dropout"),
    ],
)
def test_option_that_the_recipe_does_not_use_is_refused(
    tmp_path: Path, recipe: str, words: tuple[object, ...], option: str
) -> None:
    with pytest.raises(RecipeError, match=f"{recipe} does not use {option}; it takes --epochs, "):
        call(cli.train, recipe, *words, "--runs", tmp_path)
    assert not list(tmp_path.iterdir())


def test_folds_of_a_recipe_that_continues_a_run_are_refused(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(RecipeError, match=r"mnist-strokes continues .* cross-validate mnist-deep instead"):
        call(cli.train, "mnist-strokes", "--folds", 5, "--runs", tmp_path / "runs")


@pytest.mark.parametrize(
    ("name", "hint"), [("mnist-hands", "did you mean mnist-strokes?"), ("nothing", "choose from cats-dogs-")]
)
def test_wrong_recipe_name_gets_a_hint_without_loading_keras(name: str, hint: str) -> None:
    script = (
        "import sys; from training import cli; from training.errors import RecipeError\n"
        f"try: cli.train(['{name}'], standalone_mode=False)\n"
        "except RecipeError as error: print(error)\n"
        "print(sorted({'keras', 'tensorflow', 'sklearn'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert hint in done.stdout
    assert done.stdout.endswith("[]\n")


def test_model_name_without_own_images_is_refused() -> None:
    result = CliRunner().invoke(cli.train, ["mnist", "--name", "digits"])

    assert result.exit_code == 2
    assert "--name is for --data" in result.output


def test_init_from_refuses_another_network_and_a_missing_run(trained: Path) -> None:
    with pytest.raises(RunError, match="mnist-dense: is a run of mnist-dense, whose network differs from"):
        train(trained, "--init-from", "mnist-dense", recipe="mnist-small-convnet")
    with pytest.raises(RunError, match="continues a run of mnist-deep"):
        train(trained, recipe="mnist-strokes")
    folds = CliRunner().invoke(cli.train, ["mnist-dense", "--init-from", "mnist-dense", "--folds", "2"])
    assert "--init-from names a run that has seen" in folds.output
    with pytest.raises(RunError, match="nowhere: contains no finished run"):
        train(trained, "--init-from", "nowhere", recipe="mnist-small-convnet")


def test_tensorboard_logs_are_written_on_request(tmp_path: Path, mnist_cache: Path) -> None:
    train(tmp_path, "--tensorboard")

    folder = tmp_path / "runs" / "mnist-dense" / "tensorboard"
    assert {path.parent.name for path in folder.rglob("events.*")} == {"train", "validation"}


def test_train_needs_a_recipe_or_a_folder() -> None:
    result = CliRunner().invoke(cli.train, [])

    assert result.exit_code == 2
    assert "name a recipe (cats-dogs-features," in result.output


def test_numbers_without_bounds_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in ("--epochs", "--width"):
        refused = CliRunner().invoke(cli.train, ["mnist-dense", option, "1" + 36 * "0"])
        assert (refused.exit_code, "is not in the range" in refused.output) == (2, True)
    with pytest.raises(RecipeError, match="--learning-rate cannot be inf; it must be above 0, and finite"):
        call(cli.train, "mnist-dense", "--learning-rate", "inf")


@pytest.mark.parametrize("error", [MemoryError(), type("ResourceExhaustedError", (Exception,), {})("OOM")])
def test_a_network_that_is_too_large_is_one_line(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def build(self: object, shape: object) -> None:
        raise error

    monkeypatch.setattr(keras.layers.Dense, "build", build)

    for words in ((cli.train, "mnist-dense", "--runs", tmp_path), (cli.summary, "mnist-dense")):
        with pytest.raises(TrainingError, match="needs more memory than there is; choose a smaller --width"):
            call(*words)


def test_a_recipe_in_capitals_is_recognised() -> None:
    with pytest.raises(RecipeError, match=r"no recipe 'MNIST-Dense'; did you mean mnist-dense\?"):
        call(cli.train, "MNIST-Dense")
