"""Owns the training loop: epochs, checkpoints, resuming, early stopping."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import numpy.typing as npt

from training.datasets.dataset import Examples
from training.errors import RunError
from training.fit.batches import NOTHING, Batches
from training.fit.history import Epoch, best_epoch, read_history, write_history
from training.fit.optimizers import make_optimizer
from training.settings import Precision, Settings

_EVALUATION_BATCH = 250


class Reporter(Protocol):
    """Is told how the training goes on."""

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """A step is done; loss and accuracy are means over the epoch so far. All numbers are from 1."""

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """An epoch is done and its checkpoint is on the disk."""


class Silent:
    """Reports nothing."""

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """See :class:`Reporter`."""

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """See :class:`Reporter`."""


def fit(
    build: Callable[[], keras.Model],
    *,
    train: Examples,
    validation: Examples,
    settings: Settings,
    folder: Path,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> tuple[keras.Model, tuple[Epoch, ...]]:
    """Train a network, with a checkpoint after every epoch.

    A run that was killed and is resumed takes the same steps as one that was not: order and augmentation
    depend on seed, epoch and place, dropout on seed and epoch, the learning rate on the optimizer's step
    count, and the optimizer's state is in the checkpoint.

    Args:
        build: Makes the untrained network: one output of probabilities, softmax or one sigmoid unit.
        train: What to fit.
        validation: What to measure after each epoch.
        settings: Epochs, batch size, optimizer, augmentation, early stopping, seed.
        folder: For checkpoints and ``history.json``; made if it is missing.
        resume: Go on after the last finished epoch found in the folder, if there is one.
        reporter: Is told of progress.

    Returns:
        The trained network (of the best epoch with early stopping, else of the last), and a row per epoch.

    Raises:
        RunError: The folder holds a checkpoint that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reporter = reporter or Silent()
    batches = Batches(
        train,
        batch_size=settings.batch_size,
        seed=settings.seed,
        augmentation=settings.augmentation,
        outlier_exposure=settings.outlier_exposure,
    )
    checkpoints = Checkpoints(folder)
    history = list(checkpoints.history()) if resume else []
    if history:
        model = checkpoints.load(history[-1].number)
    else:
        checkpoints.clear()
        keras.utils.set_random_seed(settings.seed)
        with precision(settings.precision):
            model = build()
        compile_for(model, settings, steps=settings.epochs * len(batches))
    while len(history) < settings.epochs and not _gave_up(history, patience=settings.early_stopping):
        row = _run_epoch(
            model,
            batches,
            validation,
            number=len(history) + 1,
            smoothing=settings.label_smoothing,
            reporter=reporter,
        )
        history.append(row)
        checkpoints.save(model, history, keep_best=bool(settings.early_stopping))
        reporter.epoch(row, epochs=settings.epochs)
    if settings.early_stopping:
        model = checkpoints.load(best_epoch(history).number)
    if settings.precision != "float32":
        trained, model = model, build()
        model.set_weights(trained.get_weights())
    return model, tuple(history)


@contextmanager
def precision(name: Precision) -> Iterator[None]:
    """Let layers that are made in this context compute in another precision than theirs to be."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def compile_for(model: keras.Model, settings: Settings, *, steps: int) -> None:
    """Give a network its loss, metrics and optimizer.

    Args:
        model: Ends in softmax, or in one sigmoid unit.
        settings: Of the optimizer.
        steps: Of the whole run.
    """
    binary = model.output_shape[-1] == 1
    model.compile(
        optimizer=make_optimizer(settings, steps=steps),
        loss=keras.losses.BinaryCrossentropy() if binary else keras.losses.CategoricalCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")]
        if binary
        else [keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


def targets(
    model: keras.Model, y: npt.NDArray[np.int64], *, smoothing: float = 0.0
) -> npt.NDArray[np.float32]:
    """Return classes in the form that the network's loss wants.

    Args:
        model: Ends in softmax or in one sigmoid unit.
        y: (n,) classes; ``NOTHING`` for a picture that shows none of them.
        smoothing: Share of the probability that is spread over all classes.

    Returns:
        float32 (n, classes) probabilities, alike for all classes where there is none; for a sigmoid (n, 1).
    """
    classes = model.output_shape[-1]
    if classes == 1:
        certain = y[:, None].astype(np.float32)
        return certain * (1 - smoothing) + smoothing / 2
    certain = np.where((y == NOTHING)[:, None], 1 / classes, np.eye(classes, dtype=np.float32)[y])
    return (certain * (1 - smoothing) + smoothing / classes).astype(np.float32)


def measure_split(model: keras.Model, examples: Examples) -> tuple[float, float]:
    """Return loss and accuracy of a compiled network on a split."""
    result = model.evaluate(
        examples.x, targets(model, examples.y), batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True
    )
    return float(result["loss"]), float(result["accuracy"])


class Checkpoints:
    """The network and its optimizer after each epoch; ``history.json`` names the last whole one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def history(self) -> tuple[Epoch, ...]:
        """Rows of the epochs that were finished."""
        return read_history(self._folder / "history.json")

    def save(self, model: keras.Model, history: Sequence[Epoch], *, keep_best: bool) -> None:
        """Write a checkpoint; only then does the history mention it, and only then do older ones go."""
        path = self._path(history[-1].number)
        temporary = path.with_name(f".{path.name}")
        model.save(temporary)
        os.replace(temporary, path)
        write_history(history, self._folder / "history.json")
        keep = {path} | ({self._path(best_epoch(history).number)} if keep_best else set())
        for old in self._folder.glob("epoch-*.keras"):
            if old not in keep:
                old.unlink()

    def load(self, number: int) -> keras.Model:
        """Load the network of an epoch, compiled, optimizer state included.

        Raises:
            RunError: The file is missing or damaged.
        """
        path = self._path(number)
        try:
            return keras.saving.load_model(path)
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); train again without --resume") from error

    def clear(self) -> None:
        """Forget an earlier run."""
        (self._folder / "history.json").unlink(missing_ok=True)
        for path in self._folder.glob("*epoch-*.keras"):
            path.unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"epoch-{number:03}.keras"


def _run_epoch(
    model: keras.Model,
    batches: Batches,
    validation: Examples,
    *,
    number: int,
    smoothing: float,
    reporter: Reporter,
) -> Epoch:
    start = time.monotonic()
    _seed_dropout(model, epoch=number)
    # Keras gives each step's own figures; their mean is the epoch's, all batches being of one size.
    loss = accuracy = 0.0
    for step, (x, y) in enumerate(batches.epoch(number), start=1):
        result = model.train_on_batch(x, targets(model, y, smoothing=smoothing), return_dict=True)
        loss += (float(result["loss"]) - loss) / step
        accuracy += (float(result["accuracy"]) - accuracy) / step
        reporter.step(epoch=number, step=step, steps=len(batches), loss=loss, accuracy=accuracy)
    validation_loss, validation_accuracy = measure_split(model, validation)
    return Epoch(
        number=number,
        loss=loss,
        accuracy=accuracy,
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        seconds=round(time.monotonic() - start, 2),
    )


def _seed_dropout(model: keras.Model, *, epoch: int) -> None:
    """Let each layer's random numbers of an epoch depend on its seed and the epoch alone.

    The states of Keras's generators do not come back from a checkpoint.
    """
    layers = [layer for layer in _all_layers(model) if getattr(layer, "seed_generator", None) is not None]
    for place, layer in enumerate(layers):
        seed = int(layer.seed or 0) + (place << 16)
        layer.seed_generator.state.assign(np.array([seed, epoch << 20], dtype=np.uint32))


def _all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield from _all_layers(layer) if isinstance(layer, keras.Model) else (layer,)


def _gave_up(history: Sequence[Epoch], *, patience: int) -> bool:
    return bool(history and patience) and history[-1].number - best_epoch(history).number >= patience
