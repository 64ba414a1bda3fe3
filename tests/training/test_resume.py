"""Runs that are resumed, replaced or begun beside others keep their kind, their options and their files."""

import gzip
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from training import cli
from training.errors import RunError
from training.fit.run import load_run
from training.fit.run_folder import RunState, read_state
from training.workflows import cross_validation, training_run


def _train(tmp_path: Path, *words: object, recipe: str = "imdb-dense") -> Result:
    arguments = [str(word) for word in (recipe, "--runs", tmp_path / "runs", *words)]
    return CliRunner().invoke(cli.train, arguments, catch_exceptions=False)


SMALL = ("--width", 0.5, "--batch-size", 16)


def _stop_before(monkeypatch: pytest.MonkeyPatch, fold: int) -> None:
    """Let a cross-validation receive what Ctrl-C raises when it begins a fold."""
    original = cross_validation.train

    def train(*arguments: object, folder: Path, **options: object) -> object:
        if folder.name == f"fold-{fold}":
            raise KeyboardInterrupt
        return original(*arguments, folder=folder, **options)

    monkeypatch.setattr(cross_validation, "train", train)


def test_cross_validation_is_resumed_with_its_folds(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        _stop_before(context, fold=2)
        interrupted = _train(tmp_path, *SMALL, "--epochs", 1, "--folds", 3)
    assert interrupted.output.count("fold ") == 1
    line = f"./run train imdb-dense --runs {tmp_path / 'runs'} --resume"
    assert f"Interrupted after 1 finished epochs. Continue with: {line}" in interrupted.output
    with pytest.raises(RunError, match="is a cross-validation with 3 folds; leave out --folds to resume it"):
        _train(tmp_path, "--resume", "--folds", 5)

    resumed = _train(tmp_path, "--resume")

    assert "over 3 folds" in resumed.output
    folder = tmp_path / "runs" / "imdb-dense"
    assert not (folder / "run.json").exists()
    assert sorted(path.name for path in folder.glob("fold-*")) == ["fold-1", "fold-2", "fold-3"]
    rows = CliRunner().invoke(cli.runs, ["imdb-dense", "--runs", str(tmp_path / "runs")]).output.splitlines()
    assert [row.split()[:4] for row in rows[1:4]] == [
        [f"imdb-dense/fold-{number}", "imdb-dense", "finished", "1"] for number in (1, 2, 3)
    ]
    with pytest.raises(RunError, match="is a cross-validation, which goes neither with"):
        _train(tmp_path, "--resume", "--progress", "json")


def test_single_run_does_not_become_a_cross_validation(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1)

    with pytest.raises(RunError, match="is a single run, without --folds; leave out --folds"):
        _train(tmp_path, "--resume", "--folds", 3)


def test_replaced_run_leaves_nothing_behind(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1, "--folds", 3)
    folder = tmp_path / "runs" / "imdb-dense"
    (folder / "notes.txt").write_text("the user's")

    _train(tmp_path, *SMALL, "--epochs", 1, "--folds", 2, "--yes")
    assert sorted(path.name for path in folder.glob("fold-*")) == ["fold-1", "fold-2"]
    _train(tmp_path, *SMALL, "--epochs", 1, "--yes")

    assert not list(folder.glob("fold-*"))
    assert load_run(folder).record.epochs == 1
    assert (folder / "notes.txt").read_text() == "the user's"


def test_hint_to_train_under_another_name_repeats_all_options(tmp_path: Path, imdb_cache: Path) -> None:
    words = (*SMALL, "--epochs", 1, "--l2", 0.001, "--run", "my run")
    _train(tmp_path, *words)

    with pytest.raises(RunError, match="train under another name") as refused:
        _train(tmp_path, *words)

    line = str(refused.value).partition("another name: ")[2].partition("; or replace it")[0]
    typed = ["./run", "train", "imdb-dense", "--runs", str(tmp_path / "runs"), *map(str, words)]
    assert shlex.split(line) == [*typed[:-2], "--run", "my run-2"]
    assert CliRunner().invoke(cli.train, shlex.split(line)[2:]).exit_code == 0
    assert load_run(tmp_path / "runs" / "my run-2").record.settings["l2"] == 0.001


def test_settings_of_the_lecture_are_compared_with_those_of_the_resumed_run(
    tmp_path: Path, imdb_cache: Path
) -> None:
    _train(tmp_path, "--epochs", 1)

    with pytest.raises(RunError, match=r"the run has other values of .*--dropout"):
        _train(tmp_path, "--epochs", 1, "--lecture", "--resume")
    _train(tmp_path, "--epochs", 1, "--lecture", "--run", "lecture")
    again = _train(tmp_path, "--epochs", 2, "--lecture", "--resume", "--run", "lecture")
    assert "epoch   2/2" in again.output


def test_momentum_of_the_resumed_run_is_understood(tmp_path: Path, imdb_cache: Path) -> None:
    words = ("--optimizer", "sgd", "--momentum", 0.5)
    _train(tmp_path, *SMALL, *words, "--epochs", 1)

    assert "epoch   2/2" in _train(tmp_path, "--momentum", 0.5, "--epochs", 2, "--resume").output


def test_own_pictures_are_resumed_under_the_models_name(
    tmp_path: Path, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = training_run.ConsoleReporter.epoch

    def epoch(self: training_run.ConsoleReporter, row: object, *, epochs: int) -> None:
        original(self, row, epochs=epochs)
        raise KeyboardInterrupt

    small = ("--epochs", 2, "--width", 0.2, "--batch-size", 8)
    places = ("--name", "pets", "--models", tmp_path / "mine", "--run", "my-pets")
    with monkeypatch.context() as context:
        context.setattr(training_run.ConsoleReporter, "epoch", epoch)
        stopped = _train(tmp_path, "--data", own_pictures, *small, *places, recipe="cats-dogs-scratch").output
    line = stopped.partition("Continue with: ")[2].splitlines()[0]

    # As the desktop app resumes it.
    with monkeypatch.context() as context:
        context.setattr(training_run, "train", _never)
        with pytest.raises(_Began):
            _train(tmp_path, "--resume", *places, recipe="cats-dogs-scratch")
    result = CliRunner().invoke(cli.train, shlex.split(line)[2:], catch_exceptions=False)

    assert f"LECTERN_MODELS={tmp_path / 'mine'} ./run predict pets picture.jpg" in result.output
    assert (tmp_path / "mine" / "pets" / "1" / "card.json").exists()


class _Began(Exception):
    pass


def _never(*arguments: object, **options: object) -> object:
    raise _Began


@pytest.mark.parametrize("name", [".", "..", "../elsewhere", "/tmp/elsewhere", "a/../.."])
def test_run_is_a_folder_below_that_of_all_runs(tmp_path: Path, imdb_cache: Path, name: str) -> None:
    message = "cannot be the name of a run; name a folder below"
    with pytest.raises(RunError, match=message):
        _train(tmp_path, "--run", name)
    arguments = ["--runs", str(tmp_path / "runs"), name, "--remove", "--yes"]
    with pytest.raises(RunError, match=message):
        CliRunner().invoke(cli.runs, arguments, catch_exceptions=False)


def test_run_does_not_provide_its_own_initial_weights(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1)

    with pytest.raises(RunError, match="is the folder of the new run too, and its weights would be lost"):
        _train(tmp_path, *SMALL, "--init-from", "imdb-dense", "--yes")
    with pytest.raises(RunError, match="none: contains no finished run"):
        _train(tmp_path, *SMALL, "--init-from", "none", "--yes")
    assert load_run(tmp_path / "runs" / "imdb-dense").record.epochs == 1


def test_damaged_file_of_a_run_is_named(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1)
    for name in ("settings.json", "history.json", "arguments.json"):
        path = tmp_path / "runs" / "imdb-dense" / name
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(RunError, match=f"{name}: is damaged .*; delete the folder of the run"):
            _train(tmp_path, "--resume")
        path.write_bytes(content)


def test_diverging_training_is_refused_with_the_way_out(tmp_path: Path, imdb_cache: Path) -> None:
    words = ("--optimizer", "sgd", "--activation", "relu", "--learning-rate", 1e30, "--epochs", 3)
    with pytest.raises(RunError, match=r"the loss of epoch 1 is not a finite number.*lower --learning-rate"):
        _train(tmp_path, *SMALL, *words)


def test_runs_of_two_folders_with_one_name_are_compared(tmp_path: Path, imdb_cache: Path) -> None:
    for folder, dropout in (("a", 0.1), ("b", 0.2)):
        _train(tmp_path, *SMALL, "--epochs", 1, "--dropout", dropout, "--run", f"{folder}/none")

    arguments = ["--runs", str(tmp_path / "runs"), "a/none", "b/none"]
    lines = CliRunner().invoke(cli.runs, arguments, catch_exceptions=False).output.splitlines()

    assert [line.split()[0] for line in lines[1:3]] == ["a/none", "b/none"]
    assert ["dropout", "0.1", "0.2"] in [line.split() for line in lines]


def test_tensorboard_goes_neither_with_folds_nor_with_json() -> None:
    for words in (("--folds", "2"), ("--progress", "json")):
        result = CliRunner().invoke(cli.train, ["imdb-dense", "--tensorboard", *words])
        assert result.exit_code == 2
        assert "--tensorboard" in result.output


@pytest.mark.parametrize(
    ("words", "recipe"),
    [
        (("--optimizer", "sgd", "--activation", "relu", "--learning-rate", 1e30), "imdb-dense"),
        (("--init-from", "other"), "imdb-dense"),
        ((), "mnist-strokes"),
    ],
)
def test_a_training_that_fails_in_its_first_epoch_leaves_the_earlier_run(
    tmp_path: Path, imdb_cache: Path, mnist_file: Path, words: tuple[object, ...], recipe: str
) -> None:
    shutil.copy(mnist_file, imdb_cache)
    _train(tmp_path, *SMALL, "--epochs", 1, "--run", "mine")
    _train(tmp_path, "--width", 0.1, "--batch-size", 16, "--epochs", 1, "--run", "other")
    folder = tmp_path / "runs" / "mine"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(RunError):
        _train(tmp_path, *words, "--run", "mine", "--yes", recipe=recipe)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_earlier_run_is_deleted_when_the_new_one_has_an_epoch(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1)
    original = training_run.ConsoleReporter.epoch

    def epoch(self: training_run.ConsoleReporter, row: object, *, epochs: int) -> None:
        original(self, row, epochs=epochs)
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(training_run.ConsoleReporter, "epoch", epoch)
        _train(tmp_path, *SMALL, "--epochs", 2, "--seed", 2, "--yes")

    folder = tmp_path / "runs" / "imdb-dense"
    assert read_state(folder) == RunState(finished=False, epochs=1)
    assert not (folder / ".replaced").exists()
    _train(tmp_path, "--resume")
    assert load_run(folder).record.seed == 2


def test_a_file_of_no_run_is_not_replaced(tmp_path: Path, imdb_cache: Path) -> None:
    own = tmp_path / "runs" / "mine" / "model.keras"
    own.parent.mkdir(parents=True)
    own.write_text("the user's")

    with pytest.raises(
        RunError, match=r"mine: has files that .* of no run: model\.keras; choose another name"
    ):
        _train(tmp_path, *SMALL, "--epochs", 1, "--run", "mine", "--yes")

    assert own.read_text() == "the user's"


def test_resume_says_that_there_is_no_run(tmp_path: Path, imdb_cache: Path) -> None:
    result = _train(tmp_path, *SMALL, "--epochs", 1, "--run", "nmae", "--resume")

    assert f"{tmp_path / 'runs' / 'nmae'}: contains no run to resume; a new one begins" in result.output


def test_a_run_is_not_resumed_with_another_number_of_examples(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1, "--examples", 40)
    _train(tmp_path, *SMALL, "--epochs", 1, "--run", "whole")

    with pytest.raises(RunError, match="is a run on about 40 examples; leave out --examples to resume it"):
        _train(tmp_path, "--resume", "--examples", 60)
    with pytest.raises(RunError, match="whole: is a run on all examples; leave out --examples"):
        _train(tmp_path, "--resume", "--examples", 60, "--run", "whole")
    assert "epoch   2/2" in _train(tmp_path, "--resume", "--examples", 40, "--epochs", 2).output


@pytest.mark.parametrize(
    "words", [("--init-from", "other"), ("--l2", 0.5), ("--examples", 60), ("--folds", 3), ("--seed", 3)]
)
def test_a_refused_resume_leaves_the_run_as_it_was(
    tmp_path: Path, imdb_cache: Path, words: tuple[object, ...]
) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1, "--schedule", "constant")
    _train(tmp_path, *SMALL, "--epochs", 1, "--run", "other")
    folder = tmp_path / "runs" / "imdb-dense"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(RunError):
        _train(tmp_path, "--resume", *words)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert "epoch   2/2" in _train(tmp_path, "--resume", "--epochs", 2).output


def test_a_run_whose_data_has_changed_keeps_its_vocabulary(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1)
    vocabulary = tmp_path / "runs" / "imdb-dense" / "vocabulary.txt"
    before = vocabulary.read_bytes()
    path = imdb_cache / "imdb_train.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b" the ", b" xyzzy ")))

    with pytest.raises(RunError, match="the data of imdb has changed since the run began"):
        _train(tmp_path, "--resume")

    assert vocabulary.read_bytes() == before


def test_a_damaged_network_of_a_run_is_named(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, *SMALL, "--epochs", 1)
    folder = tmp_path / "runs" / "imdb-dense"
    for path in folder.glob("*.keras"):
        content = bytearray(path.read_bytes())
        content[200:240] = bytes(40)  # in the first member of the archive
        path.write_bytes(content)

    with pytest.raises(RunError, match="imdb-dense: contains no finished run "):
        load_run(folder)
    with pytest.raises(RunError, match=r"epoch-001\.keras: cannot be read"):
        _train(tmp_path, "--resume", "--epochs", 2)
