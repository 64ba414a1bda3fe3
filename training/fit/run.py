"""Owns the folder of one training run: what was trained, on what, how long, and the network that came out."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from service.inference.files import write_atomically
from training.errors import RunError
from training.fit.history import Epoch, read_history, write_history


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What is known of a finished run, beside its network and its history.

    Attributes:
        recipe: Name of the recipe.
        settings: Its settings as plain values.
        dataset: Name of the data set.
        dataset_sha256: Checksum of the data as it was read.
        splits: Number of examples in each split.
        labels: In the order of the network's outputs.
        epochs: Epochs that were run.
        seed: Of every random choice.
        seconds: Wall-clock time of all epochs together.
        machine: For people.
        versions: Of Keras, its backend and tf2onnx.
    """

    recipe: str
    settings: Mapping[str, Any]
    dataset: str
    dataset_sha256: str
    splits: Mapping[str, int]
    labels: tuple[str, ...]
    epochs: int
    seed: int
    seconds: float
    machine: str
    versions: Mapping[str, str]


def begin_run(folder: Path, *, settings: Mapping[str, Any], resume: bool) -> None:
    """Note the settings that a run begins with, or make sure that it goes on with the same ones.

    Args:
        folder: Of the run; made if it is missing.
        settings: As plain values.
        resume: Whether an interrupted run is to go on.

    Raises:
        RunError: The interrupted run had other settings, so that going on would be neither the one run nor
            the other. More epochs are fine where the learning rate does not depend on their number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").unlink(missing_ok=True)
    path = folder / "settings.json"
    if resume and path.exists():
        earlier = json.loads(path.read_text())
        free = {"epochs"} if earlier["schedule"] == settings["schedule"] == "constant" else set()
        differing = [
            name for name, value in settings.items() if earlier.get(name) != value and name not in free
        ]
        if differing:
            raise RunError(
                f"{folder}: was begun with another {', '.join(differing)}; resume it with the same, or train "
                "again without --resume"
            )
    write_atomically(path, (json.dumps(settings, indent=1) + "\n").encode())


def save_run(folder: Path, *, record: RunRecord, model: keras.Model, history: tuple[Epoch, ...]) -> None:
    """Write the network, its history and, last, the record that makes the run count as finished."""
    temporary = folder / ".model.keras"
    model.save(temporary)
    os.replace(temporary, folder / "model.keras")
    write_history(history, folder / "epochs.json")
    write_atomically(folder / "run.json", (json.dumps(asdict(record), indent=1) + "\n").encode())


def load_run(folder: Path) -> tuple[RunRecord, keras.Model, tuple[Epoch, ...]]:
    """Read what :func:`save_run` wrote.

    Raises:
        RunError: There is no finished run in the folder.
    """
    try:
        document = json.loads((folder / "run.json").read_text())
        model = keras.saving.load_model(folder / "model.keras", compile=False)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder}: holds no finished run ({error}); run `lectern train` first") from error
    document["labels"] = tuple(document["labels"])
    return RunRecord(**document), model, read_history(folder / "epochs.json")


def describe_machine() -> str:
    """Return processor and number of cores, for people."""
    processor = platform.processor() or platform.machine()
    names = Path("/proc/cpuinfo")
    if names.exists():
        models = [line for line in names.read_text().splitlines() if line.startswith("model name")]
        processor = models[0].partition(":")[2].strip() if models else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{processor}, {cores} shared cores, no GPU" if keras.backend.backend() == "tensorflow" else processor
    )


def describe_versions() -> dict[str, str]:
    """Return the versions of the libraries that a run depends on."""
    backend = keras.backend.backend()
    names = {"keras": "keras", backend: "torch" if backend == "torch" else backend, "tf2onnx": "tf2onnx"}
    return {name: version(package) for name, package in names.items()}
