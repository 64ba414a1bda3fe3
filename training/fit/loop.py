"""Runs the training loop: epochs, checkpoints, resuming, early stopping.

Keras's ``fit`` and callbacks are not used. They do not restore the state of dropout and of early stopping,
so a resumed run would differ from an uninterrupted one.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from service.inference.files import write_json
from training.datasets.dataset import Examples
from training.errors import RunError
from training.fit.batches import OUTLIER, Batches
from training.fit.run import Epoch, best_epoch, read_history
from training.hyperparameters import Hyperparameters, Precision
from training.networks.heads import CLASSES, Head
from training.networks.network import flat_layers

_EVALUATION_BATCH = 250
_WARM_UP_SHARE = 0.05


class Reporter(Protocol):
    """Receives the progress of a training run."""

    def begin(self, model: keras.Model, *, finished: int, epochs: int) -> None:
        """Report the network of a run, or of one of its stages, before its next epoch."""

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Report a finished step; loss and accuracy are means over the epoch so far, numbers count from 1."""

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """Report a finished epoch whose checkpoint is stored."""

    def network(self, model: keras.Model, *, epoch: int) -> None:
        """Report the network after an epoch."""

    def pictures(self, done: int, total: int, *, split: str) -> None:
        """Report how many pictures of a split have gone through a pretrained base."""


def fit(
    build: Callable[[], keras.Model],
    *,
    train: Examples,
    validation: Examples,
    hyperparameters: Hyperparameters,
    folder: Path,
    head: Head = CLASSES,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> tuple[keras.Model, tuple[Epoch, ...]]:
    """Train a network and store a checkpoint after every epoch.

    A run that is killed and resumed takes the same steps as an uninterrupted one. Order and augmentation
    depend on seed, epoch and batch index, dropout on seed and epoch. The learning rate depends on the
    optimizer's step count, which the checkpoint contains.

    Args:
        build: Builds the untrained network.
        train: Training split.
        validation: Validation split, measured after each epoch.
        hyperparameters: Hyperparameters of the run.
        folder: Folder of the checkpoints and ``history.json``; it is created.
        head: What the network returns, and its loss.
        resume: Continue after the last finished epoch in the folder, if there is one.
        reporter: Receives the progress.

    Returns:
        The trained network (of the best epoch with early stopping, otherwise of the last), and the epochs.

    Raises:
        RunError: The checkpoint in the folder cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    batches = Batches(train, hyperparameters)
    checkpoints = Checkpoints(folder)
    history = list(read_history(folder / "history.json")) if resume else []
    if history:
        model = checkpoints.load(history[-1].number)
    else:
        checkpoints.clear()
        keras.utils.set_random_seed(hyperparameters.seed)
        with dtype_policy(hyperparameters.precision):
            model = build()
        optimizer = make_optimizer(hyperparameters, steps=hyperparameters.epochs * len(batches))
        head.compile(model, optimizer)
    patience = hyperparameters.early_stopping
    if reporter:
        reporter.begin(model, finished=len(history), epochs=hyperparameters.epochs)
    while len(history) < hyperparameters.epochs and not _out_of_patience(history, patience):
        row = _run_epoch(
            model,
            batches,
            validation,
            head=head,
            number=len(history) + 1,
            label_smoothing=hyperparameters.label_smoothing,
            reporter=reporter,
        )
        history.append(row)
        checkpoints.save(model, history, keep_best=bool(patience))
        if reporter:
            reporter.epoch(row, epochs=hyperparameters.epochs)
            reporter.network(model, epoch=row.number)
    if patience:
        model = checkpoints.load(best_epoch(history).number)
    if hyperparameters.precision != "float32":
        trained, model = model, build()
        model.set_weights(trained.get_weights())
    return model, tuple(history)


@contextmanager
def dtype_policy(name: Precision) -> Iterator[None]:
    """Set Keras's dtype policy for the layers that are created in this context."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def make_optimizer(hyperparameters: Hyperparameters, *, steps: int) -> keras.optimizers.Optimizer:
    """Create an optimizer whose learning rate depends only on its own step count.

    Args:
        hyperparameters: Optimizer, momentum, learning rate, schedule and weight decay.
        steps: Steps of the whole run, at whose end the schedule ends.
    """
    rate: float | keras.optimizers.schedules.LearningRateSchedule = hyperparameters.learning_rate
    if hyperparameters.schedule == "cosine":
        warm_up = max(1, round(steps * _WARM_UP_SHARE))
        rate = keras.optimizers.schedules.CosineDecay(
            hyperparameters.learning_rate / 10,
            max(1, steps - warm_up),
            warmup_target=hyperparameters.learning_rate,
            warmup_steps=warm_up,
        )
    decay = hyperparameters.weight_decay or None
    match hyperparameters.optimizer:
        case "adam":
            return keras.optimizers.Adam(rate, weight_decay=decay)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate, weight_decay=decay)
        case "adadelta":
            return keras.optimizers.Adadelta(rate, weight_decay=decay)
        case "adamw":
            return keras.optimizers.AdamW(rate, weight_decay=decay or 0.0)
        case "sgd":
            momentum = hyperparameters.momentum
            sgd = keras.optimizers.SGD(rate, momentum=momentum, nesterov=momentum > 0, weight_decay=decay)
            sgd.exclude_from_weight_decay(var_names=["bias", "beta"])
            return sgd


def make_targets(
    model: keras.Model, y: npt.NDArray[Any], *, label_smoothing: float = 0.0
) -> npt.NDArray[np.float32]:
    """Return the targets of the network's loss.

    Args:
        model: Its output is softmax or one sigmoid unit.
        y: int64 (n,), class indices, or ``OUTLIER``.
        label_smoothing: Share of the probability that is spread over all classes.

    Returns:
        float32 (n, classes) probabilities, uniform for outliers; (n, 1) for a sigmoid unit.
    """
    classes = model.output_shape[-1]
    targets: npt.NDArray[np.float32]
    if y.ndim == 2:
        targets = y.astype(np.float32)
        return targets
    if classes == 1:
        targets = y[:, None].astype(np.float32) * (1 - label_smoothing) + label_smoothing / 2
        return targets
    certain = np.where((y == OUTLIER)[:, None], 1 / classes, np.eye(classes, dtype=np.float32)[y])
    targets = (certain * (1 - label_smoothing) + label_smoothing / classes).astype(np.float32)
    return targets


def measure_split(model: keras.Model, examples: Examples, *, head: Head = CLASSES) -> tuple[float, float]:
    """Return the loss of a compiled network on a split, and its accuracy, or the R² of a regression."""
    targets = make_targets(model, examples.y)
    result = model.evaluate(examples.x, targets, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True)
    return float(result["loss"]), head.figure(result, examples.y)


class Checkpoints:
    """Stores network and optimizer after each epoch; ``history.json`` names the last complete checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: keras.Model, history: Sequence[Epoch], *, keep_best: bool) -> None:
        """Write a checkpoint, then the history that names it, then delete older checkpoints."""
        path = self._path(history[-1].number)
        temporary = path.with_name(f".{path.name}")
        model.save(temporary)
        os.replace(temporary, path)
        write_json(self._folder / "history.json", history)
        keep = {path} | ({self._path(best_epoch(history).number)} if keep_best else set())
        for old in self._folder.glob("epoch-*.keras"):
            if old not in keep:
                old.unlink()

    def load(self, number: int) -> keras.Model:
        """Load the compiled network of an epoch, including the optimizer's state.

        Raises:
            RunError: The file is missing or damaged.
        """
        path = self._path(number)
        try:
            return keras.saving.load_model(path)
        except (OSError, ValueError) as error:
            raise RunError(
                f"{path}: cannot be read ({error}); train again under another name (--run)"
            ) from error

    def clear(self) -> None:
        """Delete the history and the checkpoints of an earlier run."""
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
    head: Head,
    number: int,
    label_smoothing: float,
    reporter: Reporter | None,
) -> Epoch:
    start = time.monotonic()
    _seed_dropout(model, epoch=number)
    # train_on_batch returns the figures of one step; all batches have one size, so the mean is the epoch's.
    loss = accuracy = 0.0
    for step, (x, y) in enumerate(batches.epoch(number), start=1):
        targets = make_targets(model, y, label_smoothing=label_smoothing)
        result = model.train_on_batch(x, targets, return_dict=True)
        loss += (float(result["loss"]) - loss) / step
        accuracy += (head.figure(result, batches.targets) - accuracy) / step
        if reporter:
            reporter.step(epoch=number, step=step, steps=len(batches), loss=loss, accuracy=accuracy)
    validation_loss, validation_accuracy = measure_split(model, validation, head=head)
    return Epoch(
        number=number,
        loss=loss,
        accuracy=accuracy,
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        seconds=round(time.monotonic() - start, 2),
        measure=head.measure,
    )


def _seed_dropout(model: keras.Model, *, epoch: int) -> None:
    """Set each dropout layer's random state from its seed and the epoch.

    Keras checkpoints do not restore these states.
    """
    layers = [layer for layer in flat_layers(model) if getattr(layer, "seed_generator", None) is not None]
    for index, layer in enumerate(layers):
        seed = int(layer.seed or 0) + (index << 16)
        layer.seed_generator.state.assign(np.array([seed, epoch << 20], dtype=np.uint32))


def _out_of_patience(history: Sequence[Epoch], patience: int) -> bool:
    return bool(history and patience) and history[-1].number - best_epoch(history).number >= patience
