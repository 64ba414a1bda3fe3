"""Overfitting is found in the epochs, and runs are kept up to a number."""

import json
import os
from pathlib import Path

import pytest

from desktop.train.run_record import MAX_RUNS, RunStore, overfits_from
from service.inference.training_events import EpochFinished


def rows(training: list[float], validation: list[float]) -> list[EpochFinished]:
    pairs = enumerate(zip(training, validation, strict=True), start=1)
    return [
        EpochFinished(
            number=number,
            loss=loss,
            accuracy=0.9,
            validation_loss=held_out,
            validation_accuracy=0.8,
            seconds=1,
        )
        for number, (loss, held_out) in pairs
    ]


@pytest.mark.parametrize(
    ("training", "validation", "expected"),
    [
        ([0.9, 0.5, 0.3, 0.2], [0.9, 0.6, 0.7, 0.8], 2),
        ([0.9, 0.5, 0.3, 0.2], [0.9, 0.6, 0.5, 0.4], None),
        ([0.9, 0.5, 0.3, 0.2], [0.9, 0.6, 0.61, 0.6], None),  # noise
        ([0.9, 0.5, 0.3, 0.2], [0.9, 0.6, 0.5, 0.7], None),  # one epoch alone
        ([0.2, 0.5, 0.9, 1.2], [0.5, 0.6, 0.7, 0.8], None),  # it diverges
        ([0.9], [0.9], None),
        ([], [], None),
    ],
)
def test_overfitting_begins_where_validation_rises_and_training_falls(
    training: list[float], validation: list[float], expected: int | None
) -> None:
    assert overfits_from(rows(training, validation)) == expected


def test_epochs_are_read_from_the_history_of_a_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path, models=tmp_path / "models")
    run = store.new_run("mnist-dense")
    assert store.epochs(run) == ()
    run.mkdir()
    row = {
        "number": 1, "loss": 0.5, "accuracy": 0.9, "validation_loss": 0.6, "validation_accuracy": 0.8,
        "seconds": 1.5,
    }  # fmt: skip
    (run / "history.json").write_text(json.dumps([row]))
    assert [one.validation_loss for one in store.epochs(run)] == [0.6]
    (run / "history.json").write_text("[{")
    assert store.epochs(run) == ()


def test_the_oldest_runs_are_removed(tmp_path: Path) -> None:
    store = RunStore(tmp_path, models=tmp_path / "models")
    for number in range(MAX_RUNS + 2):
        run = store.new_run("mnist-dense")
        run.mkdir()
        os.utime(run, (number, number))

    assert len(store.runs()) == MAX_RUNS
    assert not (tmp_path / "mnist-dense-1").exists()
    assert store.new_run("mnist-dense") not in store.runs()


def test_a_new_run_has_the_name_of_no_model(tmp_path: Path) -> None:
    (tmp_path / "models" / "mnist-dense-7").mkdir(parents=True)
    store = RunStore(tmp_path / "runs", models=tmp_path / "models")
    assert store.new_run("mnist-dense").name == "mnist-dense-8"
