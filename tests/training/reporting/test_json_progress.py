"""``lectern train --progress json``: its events, its commands on standard input, and the watched input."""

import errno
import importlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from service.inference.card import read_card
from service.inference.errors import SettingsError
from service.inference.preprocessing import Vocabulary
from service.inference.training_events import (
    EpochFinished,
    FirstFilters,
    InputRead,
    ModelExported,
    StepFinished,
    TrainingEvent,
    TrainingFailed,
    TrainingFinished,
    TrainingStarted,
    TrainingStopped,
    decode_event,
)
from training import cli
from training.datasets import load_dataset
from training.errors import RunError
from training.fit.run import load_run
from training.recipes import load_recipe
from training.reporting.json_progress import Controls, EventWriter, JsonReporter

Event = TypeVar("Event", bound=TrainingEvent)


def _events(output: str) -> list[TrainingEvent]:
    events = [decode_event(line) for line in output.splitlines()]
    assert None not in events, output
    return events


def _train(tmp_path: Path, *words: object, recipe: str = "mnist-dense") -> list[TrainingEvent]:
    arguments = [recipe, "--width", 0.1, "--runs", tmp_path / "runs", "--progress", "json", *words]
    result = CliRunner().invoke(cli.train, [str(word) for word in arguments], catch_exceptions=False)
    return _events(result.stdout)


def _of(events: list[TrainingEvent], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_events_tell_of_the_run_its_epochs_and_its_end(tmp_path: Path, mnist_cache: Path) -> None:
    events = _train(tmp_path, "--epochs", 2)

    (start,) = _of(events, TrainingStarted)
    assert (start.recipe, start.dataset, start.epochs, start.finished) == ("mnist-dense", "mnist", 2, 0)
    assert start.labels == tuple("0123456789")
    run = load_run(tmp_path / "runs" / "mnist-dense")
    assert start.parameters == run.model.count_params()
    assert start.splits == run.record.splits
    rows = _of(events, EpochFinished)
    assert [row.validation_loss for row in rows] == [row.validation_loss for row in run.history]
    assert {step.epoch for step in _of(events, StepFinished)} == {1, 2}
    (end,) = _of(events, TrainingFinished)
    assert (end.epochs, end.best) == (2, 2)
    assert events.index(start) == 0
    assert events[-1] == end


def test_filters_of_the_first_layer_change_and_are_those_of_the_network(
    tmp_path: Path, mnist_cache: Path
) -> None:
    dense = _of(_train(tmp_path, "--epochs", 1), FirstFilters)
    convolution = _of(_train(tmp_path, "--epochs", 1, recipe="mnist-small-convnet"), FirstFilters)

    assert [one.epoch for one in dense] == [0, 1]
    assert dense[0].shape == (16, 28, 28, 1)
    assert convolution[0].values != convolution[1].values
    model = load_run(tmp_path / "runs" / "mnist-small-convnet").model
    kernel = next(layer for layer in model.layers if "conv" in layer.name).get_weights()[0]
    shown = np.array(convolution[1].values).reshape(convolution[1].shape)
    np.testing.assert_allclose(shown, kernel.transpose(3, 0, 1, 2), atol=1e-3)


def test_the_watched_picture_is_read_before_the_first_and_after_each_epoch(
    tmp_path: Path, mnist_cache: Path, data_folder: Path
) -> None:
    with np.load(data_folder / "mnist.npz") as sample:
        seven = sample["x"][int(np.flatnonzero(sample["y"] == 7)[0])]
    picture = tmp_path / "seven.png"
    Image.fromarray(np.pad(seven, 20)).save(picture)

    readings = _of(_train(tmp_path, "--epochs", 8, "--width", 0.5, "--watch", picture), InputRead)

    assert [reading.epoch for reading in readings] == list(range(9))
    assert sum(score.score for score in readings[0].scores) == pytest.approx(1)
    assert max(readings[-1].scores, key=lambda score: score.score).label == "7"


@pytest.mark.parametrize("content", [None, b"no picture", b""])
def test_a_watched_file_without_a_picture_is_left_out(
    tmp_path: Path, mnist_cache: Path, content: bytes | None
) -> None:
    watched = tmp_path / "watched"
    if content is not None:
        watched.write_bytes(content)

    events = _train(tmp_path, "--epochs", 1, "--watch", watched)

    assert _of(events, InputRead) == []
    assert _of(events, TrainingFinished)


def test_a_watched_text_is_read(tmp_path: Path, imdb_cache: Path) -> None:
    review = tmp_path / "review.txt"
    review.write_text("What a wonderful film, it was great.")

    readings = _of(_train(tmp_path, "--epochs", 1, "--watch", review, recipe="imdb-dense"), InputRead)

    assert [score.label for score in readings[-1].scores] == ["negative", "positive"]


def test_a_regression_has_r2_in_place_of_the_accuracy_and_reads_no_picture(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.new("L", (28, 28)).save(picture)
    events = _train(tmp_path, "--epochs", 2, "--watch", picture, recipe="diabetes-dense")

    (start,) = _of(events, TrainingStarted)
    assert start.measure == "R²"
    run = load_run(tmp_path / "runs" / "diabetes-dense")
    assert [row.validation_accuracy for row in _of(events, EpochFinished)] == [
        row.validation_accuracy for row in run.history
    ]
    assert not _of(events, InputRead)

    words = ["diabetes-dense", "--runs", tmp_path / "runs", "--models", tmp_path / "models"]
    result = CliRunner().invoke(cli.export, [*map(str, words), "--progress", "json"], catch_exceptions=False)
    (exported,) = _of(_events(result.stdout), ModelExported)
    card = read_card(Path(exported.folder) / "card.json")
    assert card.regression is not None
    assert (exported.measure, exported.accuracy) == ("R²", card.regression.r2)
    assert exported.count == card.regression.count


def test_an_error_is_an_event_too(tmp_path: Path, mnist_cache: Path) -> None:
    _train(tmp_path, "--epochs", 1)

    runner = CliRunner()
    words = ["mnist-dense", "--epochs", "1", "--runs", str(tmp_path / "runs"), "--progress", "json"]
    result = runner.invoke(cli.train, words)

    assert isinstance(result.exception, RunError)
    (failure,) = _of(_events(result.stdout), TrainingFailed)
    assert "contains a finished run, which is kept" in failure.message


def test_a_run_on_a_part_of_the_examples_is_resumed_and_exported_on_it(
    tmp_path: Path, mnist_cache: Path
) -> None:
    words = ("--examples", 100, "--schedule", "constant")
    (start,) = _of(_train(tmp_path, "--epochs", 1, *words), TrainingStarted)
    resumed = _train(tmp_path, "--epochs", 2, "--resume")

    assert start.splits["train"] == pytest.approx(100, abs=10)
    assert start.splits["test"] == 100  # all of the sample
    assert _of(resumed, TrainingStarted)[0].finished == 1
    assert _of(resumed, TrainingStarted)[0].splits == start.splits
    folders = ["--runs", str(tmp_path / "runs"), "--models", str(tmp_path / "models")]
    result = CliRunner().invoke(
        cli.export, ["mnist-dense", *folders, "--progress", "json"], catch_exceptions=False
    )
    (exported,) = _of(_events(result.stdout), ModelExported)
    card = read_card(Path(exported.folder) / "card.json")
    assert (exported.model, exported.version, exported.accuracy) == ("mnist", 1, card.metrics.accuracy)
    assert card.metrics.count == 100


def test_a_model_of_a_run_on_a_part_of_the_examples_has_the_figures_of_its_card(
    tmp_path: Path, mnist_cache: Path
) -> None:
    _train(tmp_path, "--epochs", 1, "--examples", 40)
    models = ["--models", str(tmp_path / "models")]
    CliRunner().invoke(cli.export, ["mnist-dense", "--runs", str(tmp_path / "runs"), *models])

    evaluated = CliRunner().invoke(cli.evaluate, ["mnist", *models], catch_exceptions=False)

    assert evaluated.exit_code == 0, evaluated.output
    assert "coverage, test" in evaluated.output
    assert "coverage, validation" not in evaluated.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--watch", "x.png"), "--watch needs --progress json"),
        (("--folds", 2, "--progress", "json"), "--folds goes neither with"),
        (("--examples", 100, "--data", "x"), "use one of them"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: tuple[object, ...], message: str) -> None:
    result = CliRunner().invoke(cli.train, ["mnist-dense", *map(str, words)])
    assert result.exit_code == 2
    assert message in result.output


def test_lines_on_standard_input_pause_continue_and_stop(tmp_path: Path, mnist_cache: Path) -> None:
    command = [
        sys.executable, "-m", "service", "train", "mnist-dense", "--width", "0.1", "--epochs", "100000",
        "--schedule", "constant", "--runs", str(tmp_path / "runs"), "--progress", "json",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"LECTERN_DATA": str(mnist_cache)},
    ) as process:  # fmt: skip
        try:
            _say(process, "pause")
            seen = [json.loads(line)["event"] for line in _lines_until(process, "pause")]
            assert "step" not in seen
            _say(process, "continue")
            _lines_until(process, "epoch")
            _say(process, "nonsense")
            _lines_until(process, "epoch")
            _say(process, "stop")
            last = _lines_until(process, "stop")[-1]
            assert process.wait(60) == 0
        finally:
            process.kill()

    stopped = decode_event(last)
    assert isinstance(stopped, TrainingStopped)
    assert stopped.epochs >= 2
    history = json.loads((tmp_path / "runs" / "mnist-dense" / "history.json").read_text())
    assert len(history) == stopped.epochs


def _say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _lines_until(process: "subprocess.Popen[str]", event: str) -> list[str]:
    """Read lines up to the first one of an event."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if json.loads(line)["event"] == event:
            return lines
    raise AssertionError(f"no event {event} in {lines[-3:]}")


def test_a_watched_text_is_read_by_a_network_of_sequences_in_its_order(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = tmp_path / "review.txt"
    review.write_text("It was not good, not good at all, it was bad.")
    seen = []
    original = Vocabulary.encode

    def encode(self: Vocabulary, text: str, *, length: int | None = None) -> object:
        if text == review.read_text():
            seen.append((length, original(self, text, length=length).tolist()))
        return original(self, text, length=length)

    monkeypatch.setattr(Vocabulary, "encode", encode)

    readings = _of(_train(tmp_path, "--epochs", 1, "--watch", review, recipe="imdb-conv1d"), InputRead)

    assert [reading.epoch for reading in readings] == [0, 1]
    lengths, ids = zip(*seen, strict=True)
    assert set(lengths) == {400}
    assert ids[0] != sorted(set(ids[0]))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "model.keras"), "model.keras: .*free space"),
        (SettingsError("KERAS_BACKEND is 'none'"), "KERAS_BACKEND is 'none'"),
    ],
)
@pytest.mark.parametrize("command", ["train", "export"])
def test_an_error_before_the_data_and_of_a_file_is_an_event(
    monkeypatch: pytest.MonkeyPatch, command: str, error: Exception, message: str
) -> None:
    def fail(**options: object) -> None:
        raise error

    monkeypatch.setattr(importlib.import_module(f"training.cli.{command}_command"), "load_keras", fail)

    result = CliRunner().invoke(getattr(cli, command), ["mnist-dense", "--progress", "json"])

    assert result.exception is error
    (failure,) = _events(result.stdout)
    assert isinstance(failure, TrainingFailed)
    assert re.search(message, failure.message)


def test_stop_counts_the_epochs_of_both_stages(tmp_path: Path, mnist_cache: Path) -> None:
    stream, controls = io.StringIO(), Controls(None)
    reporter = JsonReporter(
        EventWriter(stream),
        controls,
        recipe=load_recipe("mnist-dense"),
        dataset=load_dataset("mnist"),
        folder=tmp_path,
    )
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    reporter.begin(model, finished=15, epochs=15)
    reporter.begin(model, finished=1, epochs=4)

    controls.obey("stop")
    with pytest.raises(SystemExit):
        reporter.step(epoch=2, step=1, steps=9, loss=1.0, accuracy=0.5)

    assert _of(_events(stream.getvalue()), TrainingStopped) == [TrainingStopped(epochs=16)]
