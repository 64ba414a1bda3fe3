"""Stores training runs: the settings, the record, the trained network and its epochs."""

import json
import os
import platform
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import msgspec

from service.inference.card import TrainingRun, card_document
from service.inference.card.migration import migrate_run
from service.inference.files import write_json
from service.inference.program import command
from training.datasets import Dataset
from training.errors import RunError
from training.hyperparameters import DEFAULTS, OPTIONS

# What Keras raises for a damaged file of a network.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The results of one epoch; the training figures are those with dropout and augmentation."""

    number: int  # from 1
    loss: float  # mean training loss, including regularisation
    accuracy: float  # training accuracy, 0 to 1
    validation_loss: float  # mean loss on the validation split after the epoch
    validation_accuracy: float  # accuracy on the validation split, 0 to 1
    seconds: float  # wall-clock time, including validation
    measure: str = "accuracy"  # what the accuracies are: of a regression, R²
    stage: int = 1  # of a run that is trained in several; the numbers of its epochs count on


def read_history(path: Path) -> tuple[Epoch, ...]:
    """Read the epochs from JSON; none if there is no such file.

    Raises:
        RunError: The file is damaged.
    """
    if not path.exists():
        return ()
    try:
        return msgspec.convert(read_document(path), tuple[Epoch, ...])
    except msgspec.ValidationError as error:
        raise _damaged(path, error) from error


def read_document(path: Path) -> Any:
    """Read one of the JSON files in a run's folder.

    Raises:
        RunError: The file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(path, error) from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that has names and values; errors as in :func:`read_document`."""
    document = read_document(path)
    if not isinstance(document, dict):
        raise _damaged(path, TypeError(f"a JSON object was expected, not {type(document).__name__}"))
    return document


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: is damaged ({error}); delete the folder of the run, and train again")


def join_stages(stages: Iterable[Sequence[Epoch]]) -> tuple[Epoch, ...]:
    """Return the epochs of a run from those of its stages, each of which counts from 1."""
    rows: list[Epoch] = []
    for stage, history in enumerate(filter(None, stages), start=1):
        rows += [replace(row, number=len(rows) + row.number, stage=stage) for row in history]
    return tuple(rows)


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Return the first epoch with the lowest validation loss."""
    return min(history, key=lambda row: row.validation_loss)


def kept_epoch(history: Sequence[Epoch], settings: Mapping[str, Any]) -> Epoch:
    """Return the epoch whose weights a run keeps.

    It is the last one or, with early stopping, the best of the last stage.

    Args:
        history: Its epochs.
        settings: Its hyperparameters; those of a second stage are in ``fine_tuning``.
    """
    last = history[-1]
    if not (settings if last.stage == 1 else settings.get("fine_tuning", {})).get("early_stopping"):
        return last
    return best_epoch([row for row in history if row.stage == last.stage])


class RunRecord(TrainingRun, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a finished run: the part that is on its model's card, and more."""

    recipe: str
    settings: Mapping[str, Any]  # hyperparameters, with ``fine_tuning`` and ``init_from`` where they apply
    labels: tuple[str, ...]  # in the order of the network's outputs

    def changed_settings(self, other: "RunRecord") -> dict[str, Any]:
        """Return the settings of this run that differ from those of another run."""
        theirs = complete_settings(other.settings)
        own = complete_settings(self.settings)
        return {name: value for name, value in own.items() if value != theirs.get(name)}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run: its record, its trained network and its epochs."""

    record: RunRecord
    model: keras.Model
    history: tuple[Epoch, ...]

    @property
    def final_epoch(self) -> Epoch:
        """The epoch whose weights the run keeps."""
        return kept_epoch(self.history, self.record.settings)


def complete_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Add the defaults of hyperparameters that are newer than the stored settings."""
    complete = DEFAULTS | dict(settings)
    complete["augmentation"] = DEFAULTS["augmentation"] | settings.get("augmentation", {})
    if "activation" not in settings and not settings.get("batch_norm"):
        complete["batch_norm"] = None  # False used to mean: as in the network
    if tuning := settings.get("fine_tuning"):
        complete["fine_tuning"] = complete_settings(tuning)
    return complete


def settings_without_seed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a run but its seed, which a second stage has too."""
    complete = complete_settings(settings)
    tuning = complete.get("fine_tuning", {})
    return complete | {"seed": None, "fine_tuning": tuning | {"seed": None}}


def begin_run(folder: Path, *, settings: Mapping[str, Any], dataset: Dataset, resume: bool) -> None:
    """Store the settings and the data of a new run, or check that a resumed run has the same.

    More epochs are accepted if the learning rate does not depend on their number.

    Args:
        folder: Folder of the run; it is created.
        settings: Hyperparameters as plain values.
        dataset: Data of the run.
        resume: Whether the run continues an interrupted one.

    Raises:
        RunError: The interrupted run has other settings, other data, or more epochs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings_path, data_path = folder / "settings.json", folder / "data.json"
    data = {"name": dataset.name, "sha256": dataset.sha256, "splits": dataset.splits}
    if resume and settings_path.exists():
        if not data_path.exists():
            raise RunError(
                f"{folder}: a run that an earlier version of Lectern began has no checksum of its data and "
                "cannot be resumed; leave out --resume and train again with --run NEW_NAME"
            )
        earlier = read_document(settings_path)
        free = {"epochs"} if earlier["schedule"] == settings["schedule"] == "constant" else set()
        before, now = complete_settings(earlier), complete_settings(settings)
        changed = sorted(name for name in now.keys() - free if before.get(name) != now[name])
        if changed:
            raise RunError(_describe_changes(folder, changed, earlier))
        finished = len(read_history(folder / "history.json"))
        if settings["epochs"] < finished:
            raise RunError(
                f"{folder}: the run has finished {finished} epochs, more than {settings['epochs']}; resume "
                "it with more --epochs, or train under another name (--run)"
            )
        if read_document(data_path) != data:
            raise RunError(
                f"{folder}: the data of {dataset.name} has changed since the run began, so its splits "
                "differ; restore the data, or train under another name (--run)"
            )
    (folder / "run.json").unlink(missing_ok=True)
    write_json(settings_path, settings)
    write_json(data_path, data)


def _describe_changes(folder: Path, changed: Sequence[str], earlier: Mapping[str, Any]) -> str:
    if changed == ["epochs"]:
        return (
            f"{folder}: the learning rate of the run falls to zero over {earlier['epochs']} epochs, so it "
            "cannot be lengthened; resume it without --epochs, or begin another run with its weights "
            "(--init-from and --run)"
        )
    names = {**OPTIONS, "init_from": "--init-from"}
    options = ", ".join(names.get(name, name) for name in changed)
    return (
        f"{folder}: the run has other values of {options}; resume it without these options, or train under "
        "another name (--run)"
    )


def save_run(folder: Path, run: Run) -> None:
    """Write the network, its history and, last, the record, which marks the run as finished."""
    write_network(folder / "model.keras", run.model)
    write_json(folder / "epochs.json", run.history)
    write_json(folder / "run.json", card_document(run.record))


def write_network(path: Path, model: keras.Model) -> None:
    """Write a network; readers see a whole file or none."""
    temporary = path.with_name(f".{path.name}")
    try:
        model.save(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # it would fill a disk that is nearly full
        raise


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        RunError: The folder contains no finished run, or one that this version cannot read.
    """
    record = read_record(folder)
    try:
        model = keras.saving.load_model(folder / "model.keras", compile=False)
    except UNREADABLE as error:
        raise _unfinished(folder, error) from error
    return Run(record=record, model=model, history=read_history(folder / "epochs.json"))


def read_record(folder: Path) -> RunRecord:
    """Read the record of a finished run, without its network.

    Raises:
        RunError: The folder contains no finished run, or one that this version cannot read.
    """
    try:
        document = migrate_run(json.loads((folder / "run.json").read_text()))
    except (OSError, ValueError) as error:
        raise _unfinished(folder, error) from error
    try:
        return msgspec.convert(document, RunRecord)
    except msgspec.ValidationError as error:
        raise RunError(
            f"{folder}: run.json is not from this version of Lectern ({error}); train again"
        ) from error


def _unfinished(folder: Path, error: Exception) -> RunError:
    reason = error.strerror if isinstance(error, OSError) else error
    return RunError(f"{folder}: contains no finished run ({reason}); {command('runs')} lists the runs")


def describe_machine() -> str:
    """Return processor, number of cores and accelerators that Keras uses, for people."""
    processor = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        models = [line for line in cpu_info.read_text().splitlines() if line.startswith("model name")]
        processor = models[0].partition(":")[2].strip() if models else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} shared cores, {', '.join(_accelerators()) or 'no GPU'}"


def _accelerators() -> list[str]:
    """Return the names of the accelerators that Keras's backend uses."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        return [tf.config.experimental.get_device_details(device)["device_name"] for device in devices]
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    if backend == "torch":
        import torch

        return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return []
