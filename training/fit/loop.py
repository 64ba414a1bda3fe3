"""Runs the training loop: epochs, checkpoints, resuming, early stopping.

Keras's ``fit`` and callbacks are not used. They do not restore the state of dropout and of early stopping,
so a resumed run would differ from an uninterrupted one.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from training.datasets.dataset import Examples
from training.errors import RunError
from training.fit.batches import OUTLIER, Batches
from training.fit.checkpoints import Checkpoints
from training.fit.optimizer import make_optimizer
from training.fit.run import Epoch, best_epoch, read_history
from training.hyperparameters import Hyperparameters, Precision
from training.networks.heads import CLASSES, Head
from training.networks.network import flat_layers

_EVALUATION_BATCH = 250
_STATES = 2**32  # of each number in the state of a random generator of Keras


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
    teacher: keras.Model | None = None,
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
        teacher: Network whose probabilities replace the labels of the training split, with the weight of the
            hyperparameter ``distillation``; None for the labels.
        resume: Continue after the last finished epoch in the folder, if there is one.
        reporter: Receives the progress.

    Returns:
        The trained network (of the best epoch with early stopping, otherwise of the last), and the epochs.

    Raises:
        RunError: The checkpoint in the folder cannot be read, or the loss is no longer a number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    batches = Batches(train, hyperparameters)
    checkpoints = Checkpoints(folder)
    history = list(read_history(folder / "history.json")) if resume else []
    if history:
        model = checkpoints.load(history[-1].number)
    else:
        checkpoints.clear()
        model = _build_compiled(build, hyperparameters, head, steps=hyperparameters.epochs * len(batches))
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
            hyperparameters=hyperparameters,
            teacher=teacher,
            reporter=reporter,
        )
        if not (math.isfinite(row.loss) and math.isfinite(row.validation_loss)):
            raise RunError(
                f"{folder}: the loss of epoch {row.number} is not a finite number, so the network has learnt "
                f"nothing; train with a lower --learning-rate than {hyperparameters.learning_rate:g}"
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


def _build_compiled(
    build: Callable[[], keras.Model], hyperparameters: Hyperparameters, head: Head, *, steps: int
) -> keras.Model:
    """Build a network with the seed and the precision of a run, and compile it."""
    keras.utils.set_random_seed(hyperparameters.seed)
    with _dtype_policy(hyperparameters.precision):
        model = build()
    head.compile(model, make_optimizer(hyperparameters, steps=steps))
    return model


@contextmanager
def _dtype_policy(name: Precision) -> Iterator[None]:
    """Set Keras's dtype policy in this context."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


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
    classes: int = model.output_shape[-1]
    if y.ndim == 2:
        return y.astype(np.float32)
    if classes == 1:
        certain, classes = y[:, None].astype(np.float32), 2
    else:
        certain = np.where((y == OUTLIER)[:, None], 1 / classes, np.eye(classes, dtype=np.float32)[y])
    return (certain * (1 - label_smoothing) + label_smoothing / classes).astype(np.float32)


def measure_split(model: keras.Model, examples: Examples, *, head: Head = CLASSES) -> tuple[float, float]:
    """Return the loss of a compiled network on a split, and its accuracy, or the R² of a regression."""
    targets = make_targets(model, examples.y)
    result = model.evaluate(examples.x, targets, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True)
    return float(result["loss"]), head.figure(result, examples.y)


def _run_epoch(
    model: keras.Model,
    batches: Batches,
    validation: Examples,
    *,
    head: Head,
    number: int,
    hyperparameters: Hyperparameters,
    teacher: keras.Model | None,
    reporter: Reporter | None,
) -> Epoch:
    start = time.monotonic()
    _seed_dropout(model, epoch=number)
    # train_on_batch returns the figures of one step; all batches have one size, so the mean is the epoch's.
    loss = accuracy = 0.0
    for step, (x, y) in enumerate(batches.epoch(number), start=1):
        targets = make_targets(model, y, label_smoothing=hyperparameters.label_smoothing)
        weights = None
        if teacher is not None:
            own = slice(batches.own)
            targets[own] = teacher.predict_on_batch(x[own])
            weights = np.ones(len(x), dtype=np.float32)
            weights[own] = hyperparameters.distillation
        result = model.train_on_batch(x, targets, sample_weight=weights, return_dict=True)
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
        # The state has two numbers of 32 bits; the second one has room for 4096 epochs.
        turns, counter = divmod(epoch << 20, _STATES)
        seed = (int(layer.seed or 0) + (index << 16) + turns) % _STATES
        layer.seed_generator.state.assign(np.array([seed, counter], dtype=np.uint32))


def _out_of_patience(history: Sequence[Epoch], patience: int) -> bool:
    return bool(history and patience) and history[-1].number - best_epoch(history).number >= patience
