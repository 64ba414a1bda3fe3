"""Runs are never replaced silently, are resumed with their own settings, and can be listed and compared."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from service.cli import main
from training import cli
from training.errors import ExportError, RecipeError, RunError
from training.fit.run import load_run
from training.workflows import training_run


def _call(command: object, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def _train(tmp_path: Path, *words: object, recipe: str = "imdb-dense") -> Result:
    return _call(cli.train, recipe, "--width", 0.5, "--batch-size", 16, "--runs", tmp_path / "runs", *words)


def test_finished_run_is_kept_unless_yes_is_given(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1)
    record = tmp_path / "runs" / "imdb-dense" / "run.json"
    before = record.read_bytes()

    with pytest.raises(RunError, match=r"contains a finished run, which is kept; .*--run imdb-dense-2"):
        _train(tmp_path, "--epochs", 1, "--seed", 2)
    assert record.read_bytes() == before
    assert _train(tmp_path, "--epochs", 1, "--seed", 2, "--yes").exit_code == 0
    assert load_run(record.parent).record.seed == 2


def _interrupt_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the progress bar raise what Ctrl-C raises, after some epochs."""
    original = training_run.ConsoleReporter.epoch

    def epoch(self: training_run.ConsoleReporter, row: object, *, epochs: int) -> None:
        original(self, row, epochs=epochs)
        if row.number == stop:
            raise KeyboardInterrupt

    stop = epochs
    monkeypatch.setattr(training_run.ConsoleReporter, "epoch", epoch)


def test_interrupted_run_says_how_to_go_on_and_is_resumed_with_its_settings(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        _interrupt_after(2, context)
        result = CliRunner().invoke(
            cli.train,
            ["imdb-dense", "--epochs", "4", "--l2", "0.001", "--runs", str(tmp_path / "my runs")],
        )
    line = f"./run train imdb-dense --runs '{tmp_path / 'my runs'}' --resume"
    assert f"Interrupted after 2 finished epochs. Continue with: {line}" in result.output

    with pytest.raises(RunError, match=r"an unfinished run of 2 epochs, which is kept; continue it with: "):
        _call(cli.train, "imdb-dense", "--runs", tmp_path / "my runs")
    resumed = _call(cli.train, "imdb-dense", "--resume", "--runs", tmp_path / "my runs")

    assert "epoch   2/4" not in resumed.output
    assert "epoch   4/4" in resumed.output
    assert load_run(tmp_path / "my runs" / "imdb-dense").record.settings["l2"] == 0.001


def test_run_with_a_constant_rate_is_lengthened(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1, "--early-stopping", 0)

    assert (
        "epoch   3/3"
        in _call(cli.train, "imdb-dense", "--resume", "--epochs", 3, "--runs", tmp_path / "runs").output
    )


def test_run_with_a_cosine_schedule_is_not_lengthened(tmp_path: Path, mnist_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1, recipe="mnist-dense")

    with pytest.raises(RunError, match="falls to zero over 1 epochs, so it cannot be lengthened"):
        _call(cli.train, "mnist-dense", "--resume", "--epochs", 3, "--runs", tmp_path / "runs")


def test_texts_are_cross_validated(tmp_path: Path, imdb_cache: Path) -> None:
    result = _train(tmp_path, "--folds", 3, "--epochs", 1, recipe="imdb-dense")

    assert "standard deviation" in result.output
    assert _call(cli.train, "imdb-bigrams", "--folds", 3, "--epochs", 1, "--runs", tmp_path).exit_code == 0


def test_runs_are_listed_compared_measured_and_removed(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1)
    _train(tmp_path, "--epochs", 2, "--run", "other", "--dropout", 0.1)
    folder = ("--runs", tmp_path / "runs")

    rows = [line.split() for line in _call(cli.runs, *folder).output.splitlines()]
    assert [row[:4] for row in rows[1:]] == [
        ["imdb-dense", "imdb-dense", "finished", "1"],
        ["other", "imdb-dense", "finished", "2"],
    ]
    curves = tmp_path / "curves.png"
    compared = _call(cli.runs, "imdb-dense", "other", *folder, "--test", "--curves", curves).output
    assert [line.split() for line in compared.splitlines() if line.startswith("dropout")] == [
        ["dropout", "0.5", "0.1"]
    ]
    assert "other: accuracy 0." in compared
    assert "on 50 test examples (95 % confidence interval 0." in compared
    assert "Caution: 50 test examples say little" in compared
    Image.open(curves).verify()
    with pytest.raises(RunError, match="other: is kept; --yes deletes it"):
        _call(cli.runs, "other", "--remove", *folder)
    assert _call(cli.runs, "other", "--remove", "--yes", *folder).exit_code == 0
    assert not (tmp_path / "runs" / "other").exists()
    with pytest.raises(RunError, match="contains no run; there are imdb-dense"):
        _call(cli.runs, "other", *folder)


def _export(tmp_path: Path, *words: object) -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models")
    return _call(cli.export, "imdb-dense", *folders, *words)


def _default(tmp_path: Path) -> int:
    from service.inference.catalog import Catalog

    return Catalog(tmp_path / "models").card("imdb").version


def test_export_never_changes_the_default_or_overwrites_a_version(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1)
    assert "stays the default" not in _export(tmp_path).output

    second = _export(tmp_path)

    line = f"LECTERN_MODELS={tmp_path / 'models'} ./run models imdb --version 2 --default"
    assert f"imdb 1 stays the default version. To change that: {line}" in second.output
    assert _default(tmp_path) == 1
    card = tmp_path / "models" / "imdb" / "1" / "card.json"
    before = card.read_bytes()
    with pytest.raises(ExportError, match="imdb 1 exists, and versions are never overwritten"):
        _export(tmp_path, "--version", 1)
    assert card.read_bytes() == before
    assert _export(tmp_path, "--default").exit_code == 0
    assert _default(tmp_path) == 3


def test_worse_export_does_not_become_the_default(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1)
    _export(tmp_path)
    path = tmp_path / "models" / "imdb" / "1" / "card.json"
    path.write_text(path.read_text().replace('"accuracy":', '"accuracy": 1.0, "was":', 1))

    with pytest.raises(
        ExportError, match=r"imdb 2 was exported, and does not become .* its test accuracy is"
    ):
        _export(tmp_path, "--default")
    assert _default(tmp_path) == 1
    assert _export(tmp_path, "--default", "--force").exit_code == 0
    assert _default(tmp_path) == 3


def test_own_pictures_do_not_become_a_version_of_a_model_with_other_labels(
    tmp_path: Path, own_pictures: Path, imdb_cache: Path
) -> None:
    _train(tmp_path, "--epochs", 1)
    _export(tmp_path)

    words = ("cats-dogs-scratch", "--data", own_pictures, "--epochs", 1, "--runs", tmp_path / "runs")
    with pytest.raises(
        ExportError, match="the model imdb has the labels negative, positive, the new version"
    ):
        _call(cli.train, *words, "--name", "imdb", "--models", tmp_path / "models")


def test_all_commands_find_the_models_by_the_variable(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LECTERN_MODELS", str(tmp_path / "elsewhere"))
    _train(tmp_path, "--epochs", 1)

    assert _call(cli.export, "imdb-dense", "--runs", tmp_path / "runs").exit_code == 0
    assert (tmp_path / "elsewhere" / "imdb" / "1" / "card.json").exists()
    assert _call(cli.evaluate, "imdb").exit_code == 0


def test_run_with_the_settings_of_the_lecture_and_a_change(tmp_path: Path, imdb_cache: Path) -> None:
    words = ("--lecture", "--epochs", 1, "--optimizer", "sgd", "--momentum", 0.5, "--activation", "tanh")
    _train(tmp_path, *words)

    settings = load_run(tmp_path / "runs" / "imdb-dense").record.settings
    assert (settings["learning_rate"], settings["dropout"], settings["early_stopping"]) == (1e-3, None, 0)
    assert (settings["optimizer"], settings["momentum"], settings["activation"]) == ("sgd", 0.5, "tanh")
    assert "has no settings of the lecture" in str(
        CliRunner().invoke(cli.train, ["mnist-deep", "--lecture", "--runs", str(tmp_path)]).exception
    )


def test_run_with_sizes_of_transformations(tmp_path: Path, mnist_cache: Path) -> None:
    words = (
        "--epochs",
        1,
        "--augment",
        "flip",
        "--rotation",
        90,
        "--no-flip",
        "--brightness",
        0.2,
        "--crop",
        1,
    )
    _train(tmp_path, *words, recipe="mnist-dense")

    sizes = load_run(tmp_path / "runs" / "mnist-dense").record.settings["augmentation"]
    assert {name: size for name, size in sizes.items() if size} == {
        "rotation": 90,
        "brightness": 0.2,
        "crop": 1,
    }


def test_help_of_a_recipe_shows_its_defaults() -> None:
    text = " ".join(_call(cli.train, "imdb-dense", "--help").output.split())

    assert "[default: (0.002); x>0]" in text
    assert "[default: (0.5); 0<=x<1]" in text
    assert "[default: (the recipe's)" not in text


@pytest.mark.parametrize(
    ("name", "close"), [("mnist-convet", "mnist-convnet"), ("cifar10-bn", "cifar10-bn-elu"), ("imbd", "imdb")]
)
def test_misspelt_recipe_is_one_line(name: str, close: str) -> None:
    with pytest.raises(RecipeError, match=f"^there is no recipe '{name}'; did you mean {close}\\?$"):
        _call(cli.train, name)


@contextmanager
def _small_files(limit: int) -> Iterator[None]:
    """Let no file grow beyond some bytes, which fails in the same place as a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("command", ["train", "export"])
def test_full_disk_is_one_line(
    tmp_path: Path,
    imdb_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: str,
) -> None:
    words = ["--runs", str(tmp_path / "runs")]
    if command == "export":
        _train(tmp_path, "--epochs", 1)
        words += ["--models", str(tmp_path / "models")]
    monkeypatch.setattr(sys, "argv", ["lectern", command, "imdb-dense", *words])
    capfd.readouterr()

    # Fewer bytes than the network has.
    with _small_files(200_000), pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "cannot be read or written" in line
    assert not list((tmp_path / "runs").rglob(".*.keras"))


@pytest.mark.parametrize("content", ["", "[1]"])
def test_a_damaged_run_does_not_hide_the_others(tmp_path: Path, imdb_cache: Path, content: str) -> None:
    _train(tmp_path, "--epochs", 1)
    shutil.copytree(tmp_path / "runs" / "imdb-dense", tmp_path / "runs" / "broken")
    damaged = tmp_path / "runs" / "broken" / "settings.json"
    damaged.write_text(content)

    result = _call(cli.runs, "--runs", tmp_path / "runs")

    assert result.exit_code == 1
    assert "imdb-dense  finished" in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"lectern: {damaged}: is damaged (")
    with pytest.raises(RunError, match="none: contains no run; there are imdb-dense"):
        _call(cli.runs, "none", "--runs", tmp_path / "runs")


def test_a_name_that_is_not_utf_8_is_listed(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1)
    (tmp_path / "runs" / "imdb-dense").rename(tmp_path / "runs" / os.fsdecode(b"\xff"))

    command = [sys.executable, "-m", "service", "runs", "--runs", str(tmp_path / "runs")]
    done = subprocess.run(command, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert [rb"\udcff", b"imdb-dense", b"finished", b"1"] in [
        row.split()[:4] for row in done.stdout.splitlines()
    ]
