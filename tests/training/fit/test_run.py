"""Runs of earlier versions are read; the record of a run names the hardware that Keras used."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.datasets import Dataset, Examples
from training.errors import RunError
from training.fit.run import Epoch, begin_run, describe_machine, join_stages, kept_epoch, load_run
from training.fit.run_folder import to_hyperparameters
from training.hyperparameters import Augmentation, Hyperparameters

# Names of the settings in runs of version 1.
OLD_SETTINGS = {
    "epochs": 2,
    "schedule": "cosine",
    "outliers": 0.08,
    "augmentation": {"shift": 0.1, "redrawn": 0.4, "formed": 0.25, "damaged": 0.2},
    "joint": {"epochs": 4, "outliers": 0.0},
    "start": {"recipe": "mnist-hands", "seed": 2, "epochs": 36},
}
SETTINGS = {
    "epochs": 2,
    "schedule": "cosine",
    "outlier_exposure": 0.08,
    "augmentation": {
        "shift": 0.1,
        "stroke_augmentation": 0.4,
        "stroke_templates": 0.25,
        "corruptions": 0.2,
    },
    "fine_tuning": {"epochs": 4, "outlier_exposure": 0.0},
    "init_from": {"recipe": "mnist-strokes", "seed": 2, "epochs": 36},
}
RECORD = {
    "recipe": "mnist-hands",
    "settings": OLD_SETTINGS,
    "dataset": "mnist",
    "dataset_sha256": "0",
    "splits": {"train": 1},
    "labels": ["0", "1"],
    "epochs": 2,
    "seed": 1,
    "seconds": 3.0,
    "machine": "a machine",
    "versions": {},
}


def _write_run(folder: Path, record: dict[str, object]) -> Path:
    (folder / "run.json").write_text(json.dumps(record))
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(folder / "model.keras")
    return folder


def _dataset() -> Dataset:
    examples = Examples(np.zeros((1, 2, 2), dtype=np.uint8), np.zeros(1, dtype=np.int64))
    return Dataset(
        name="mnist",
        labels=("0", "1"),
        train=examples,
        validation=examples,
        test=examples,
        sha256="0",
        source="",
        license="",
    )


def test_old_names_in_a_run_record_are_replaced(tmp_path: Path) -> None:
    record = load_run(_write_run(tmp_path, RECORD)).record

    assert record.recipe == "mnist-strokes"
    assert record.settings == SETTINGS


def test_run_record_with_unknown_fields_is_refused(tmp_path: Path) -> None:
    folder = _write_run(tmp_path, {**RECORD, "from_the_future": 1})

    with pytest.raises(RunError, match="from_the_future"):
        load_run(folder)


def test_resuming_a_run_without_a_data_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(OLD_SETTINGS))

    with pytest.raises(RunError, match=r"earlier version .* cannot be resumed; .* --run NEW_NAME"):
        begin_run(tmp_path, settings=SETTINGS, dataset=_dataset(), resume=True)


def test_refused_resume_keeps_the_finished_run(tmp_path: Path) -> None:
    begin_run(tmp_path, settings=SETTINGS, dataset=_dataset(), resume=False)
    _write_run(tmp_path, RECORD)

    with pytest.raises(RunError, match="falls to zero over 2 epochs, so it cannot be lengthened"):
        begin_run(tmp_path, settings=SETTINGS | {"epochs": 3}, dataset=_dataset(), resume=True)
    assert load_run(tmp_path).record.epochs == 2


def test_a_run_is_not_resumed_to_fewer_epochs_than_it_has(tmp_path: Path) -> None:
    settings = SETTINGS | {"schedule": "constant", "epochs": 3}
    begin_run(tmp_path, settings=settings, dataset=_dataset(), resume=False)
    row = {"loss": 0.5, "accuracy": 0.8, "validation_loss": 0.5, "validation_accuracy": 0.8, "seconds": 1.0}
    (tmp_path / "history.json").write_text(json.dumps([{"number": number, **row} for number in (1, 2, 3)]))
    before = (tmp_path / "settings.json").read_bytes()

    with pytest.raises(RunError, match="has finished 3 epochs, more than 1; resume it with more --epochs"):
        begin_run(tmp_path, settings=settings | {"epochs": 1}, dataset=_dataset(), resume=True)
    assert (tmp_path / "settings.json").read_bytes() == before
    begin_run(tmp_path, settings=settings | {"epochs": 4}, dataset=_dataset(), resume=True)


def test_run_of_an_earlier_version_is_resumed_although_it_lacks_newer_hyperparameters(tmp_path: Path) -> None:
    settings = asdict(Hyperparameters(epochs=2, augmentation=Augmentation(shift=0.1)))
    earlier = {name: value for name, value in settings.items() if name not in ("activation", "pooling")}
    earlier |= {"batch_norm": False, "augmentation": {"shift": 0.1}}
    begin_run(tmp_path, settings=earlier, dataset=_dataset(), resume=False)

    begin_run(tmp_path, settings=settings, dataset=_dataset(), resume=True)

    assert to_hyperparameters(earlier, folder=tmp_path) == Hyperparameters(
        epochs=2, augmentation=Augmentation(shift=0.1)
    )
    with pytest.raises(RunError, match="the run has other values of --pooling; resume it without"):
        begin_run(tmp_path, settings=settings | {"pooling": "none"}, dataset=_dataset(), resume=True)


def _epochs(*losses: float) -> tuple[Epoch, ...]:
    figures = {"loss": 0.5, "accuracy": 0.5, "validation_accuracy": 0.5, "seconds": 1.0}
    return tuple(
        Epoch(number=number, validation_loss=loss, **figures) for number, loss in enumerate(losses, start=1)
    )


@pytest.mark.parametrize(
    ("patience", "fine_tuning", "first", "second"), [(0, 0, 3, 6), (2, 0, 2, 6), (0, 2, 3, 5), (2, 2, 2, 5)]
)
def test_a_run_keeps_an_epoch_of_its_last_stage(
    patience: int, fine_tuning: int, first: int, second: int
) -> None:
    settings = {"early_stopping": patience, "fine_tuning": {"early_stopping": fine_tuning}}
    head, top = _epochs(0.5, 0.1, 0.3), _epochs(0.4, 0.2, 0.6)

    # An interrupted run has no second stage yet.
    assert kept_epoch(join_stages([(), head, ()]), settings).number == first
    assert kept_epoch(join_stages([(), head, top]), settings).number == second


def test_machine_without_a_gpu_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])

    assert describe_machine().endswith(" shared cores, no GPU")


def test_machine_with_a_gpu_names_it_with_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu-0"])
    details = {"device_name": "Fast GPU 1"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)

    assert describe_machine().endswith(" shared cores, Fast GPU 1")


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_machine_with_a_gpu_names_it_with_other_backends(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    devices = [
        SimpleNamespace(platform="cpu", device_kind="cpu"),
        SimpleNamespace(platform="gpu", device_kind="Fast GPU 1"),
    ]
    cuda = SimpleNamespace(device_count=lambda: 1, get_device_name=lambda index: "Fast GPU 1")
    monkeypatch.setitem(sys.modules, backend, SimpleNamespace(devices=lambda: devices, cuda=cuda))
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)

    assert describe_machine().endswith(" shared cores, Fast GPU 1")
