"""The training loop: checkpoints, resuming, early stopping, batches, targets."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from training.augmentation.outlier_exposure import make_outliers
from training.datasets.dataset import Examples
from training.errors import RunError
from training.fit.batches import OUTLIER, Batches
from training.fit.loop import _seed_dropout, fit, make_targets, measure_split
from training.fit.run import Epoch, read_history
from training.hyperparameters import Augmentation, Hyperparameters
from training.networks.network import Network
from training.networks.statistics import DataStatistics

HYPERPARAMETERS = Hyperparameters(
    epochs=4,
    batch_size=32,
    learning_rate=0.01,
    schedule="cosine",
    dropout=0.2,
    augmentation=Augmentation(shift=0.1, rotation=5.0),
    seed=3,
)


def _examples(count: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    x = rng.integers(0, 60, (count, 12, 12), dtype=np.uint8)
    for place, label in enumerate(y):
        x[place, 4 * label : 4 * label + 4] += 150
    return Examples(x, y)


TRAIN, VALIDATION = _examples(128, seed=1), _examples(48, seed=2)
SPLITS = {"train": TRAIN, "validation": VALIDATION}


def _build() -> keras.Model:
    network = Network(HYPERPARAMETERS, DataStatistics(classes=3)).image(12, 12)
    return network.conv(4, batch_norm=True).pool().flatten().dropout(0.1).classifier()


class _Kill(Exception):
    pass


class _KillIn:
    """A reporter that raises an error in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        if (epoch, step) == (self._epoch, 2):
            raise _Kill

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        pass

    def begin(self, model: keras.Model, *, finished: int, epochs: int) -> None:
        pass

    def network(self, model: keras.Model, *, epoch: int) -> None:
        pass

    def pictures(self, done: int, total: int, *, split: str) -> None:
        pass


def _weights(model: keras.Model) -> list[np.ndarray]:
    return model.get_weights()


def test_network_learns(tmp_path: Path) -> None:
    _, history = fit(
        _build,
        **SPLITS,
        hyperparameters=replace(HYPERPARAMETERS, epochs=8),
        folder=tmp_path,
    )

    assert history[-1].validation_accuracy > 0.95
    assert [row.number for row in history] == list(range(1, 9))


def test_run_resumed_after_a_kill_equals_an_uninterrupted_run(tmp_path: Path) -> None:
    reference, history = fit(
        _build, **SPLITS, hyperparameters=HYPERPARAMETERS, folder=tmp_path / "uninterrupted"
    )

    with pytest.raises(_Kill):
        fit(
            _build,
            **SPLITS,
            hyperparameters=HYPERPARAMETERS,
            folder=tmp_path / "killed",
            reporter=_KillIn(epoch=3),
        )
    assert len(read_history(tmp_path / "killed" / "history.json")) == 2
    resumed, rows = fit(
        _build,
        **SPLITS,
        hyperparameters=HYPERPARAMETERS,
        folder=tmp_path / "killed",
        resume=True,
    )

    assert [row.loss for row in rows] == pytest.approx([row.loss for row in history], abs=1e-6)
    for actual, expected in zip(_weights(resumed), _weights(reference), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_without_resume_an_earlier_run_is_deleted(tmp_path: Path) -> None:
    short = replace(HYPERPARAMETERS, epochs=1)
    fit(_build, **SPLITS, hyperparameters=HYPERPARAMETERS, folder=tmp_path)

    _, history = fit(_build, **SPLITS, hyperparameters=short, folder=tmp_path)

    assert len(history) == 1
    assert [path.name for path in tmp_path.glob("*.keras")] == ["epoch-001.keras"]


def test_early_stopping_keeps_the_best_epoch(tmp_path: Path) -> None:
    # Random labels can only be memorised, so validation gets worse.
    noise = Examples(TRAIN.x, np.random.default_rng(9).integers(0, 3, len(TRAIN)))
    hyperparameters = replace(
        HYPERPARAMETERS, epochs=40, early_stopping=2, schedule="constant", learning_rate=0.05
    )

    model, history = fit(
        _build, train=noise, validation=VALIDATION, hyperparameters=hyperparameters, folder=tmp_path
    )

    losses = [row.validation_loss for row in history]
    assert len(history) == losses.index(min(losses)) + 3 < 40
    assert measure_split(model, VALIDATION)[0] == pytest.approx(min(losses), abs=1e-5)


def test_distillation_learns_the_answers_of_the_teacher_and_doubts_outliers(tmp_path: Path) -> None:
    settings = replace(HYPERPARAMETERS, epochs=8)
    renamed = Examples(TRAIN.x, (TRAIN.y + 1) % 3)
    teacher, _ = fit(
        _build, train=renamed, validation=VALIDATION, hyperparameters=settings, folder=tmp_path / "teacher"
    )

    model, _ = fit(
        _build,
        **SPLITS,
        hyperparameters=replace(settings, distillation=2.0, outlier_exposure=0.2),
        folder=tmp_path / "student",
        teacher=teacher,
    )

    known, learned = (each.predict(VALIDATION.x, verbose=0) for each in (teacher, model))
    assert (learned.argmax(axis=1) == known.argmax(axis=1)).mean() > 0.95
    rng = np.random.default_rng(5)
    outliers = make_outliers(TRAIN.x, count=40, rng=rng)
    assert np.median(model.predict(outliers, verbose=0).max(axis=1)) < np.median(learned.max(axis=1))


def test_damaged_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    fit(
        _build,
        **SPLITS,
        hyperparameters=replace(HYPERPARAMETERS, epochs=1),
        folder=tmp_path,
    )
    (tmp_path / "epoch-001.keras").write_bytes(b"half of it")

    with pytest.raises(RunError, match=r"epoch-001\.keras: cannot be read .* under another name"):
        fit(
            _build,
            **SPLITS,
            hyperparameters=HYPERPARAMETERS,
            folder=tmp_path,
            resume=True,
        )


def test_epoch_contains_each_example_once_in_a_new_order() -> None:
    examples = Examples(np.arange(64, dtype=np.uint8)[:, None, None], np.arange(64))
    batches = Batches(examples, Hyperparameters(epochs=1, batch_size=16))

    first, again, second = (np.concatenate([y for _, y in batches.epoch(number)]) for number in (0, 0, 1))

    assert sorted(first) == list(range(64))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_flips_alternate_between_epochs() -> None:
    pictures = np.zeros((64, 4, 4), dtype=np.uint8)
    pictures[:, :, 0] = 1
    hyperparameters = Hyperparameters(epochs=4, batch_size=16, augmentation=Augmentation(flip=True))
    batches = Batches(Examples(pictures, np.arange(64)), hyperparameters)

    flipped = np.zeros((4, 64), dtype=bool)
    for number in range(4):
        for x, y in batches.epoch(number):
            flipped[number, y] = x[:, 0, 3] == 1

    assert 16 < flipped[0].sum() < 48
    assert np.array_equal(flipped[1], ~flipped[0])
    assert np.array_equal(flipped[2], flipped[0])
    assert np.array_equal(flipped[3], flipped[1])


def test_error_of_the_producer_thread_is_raised_in_the_consumer() -> None:
    class _Broken(Examples):
        def take(self, chosen: object) -> Examples:
            raise RuntimeError("the disk is gone")

    batches = Batches(_Broken(TRAIN.x, TRAIN.y), Hyperparameters(epochs=1, batch_size=8))

    with pytest.raises(RuntimeError, match="the disk is gone"):
        list(batches.epoch(0))


def test_network_trained_in_bfloat16_is_returned_in_float32(tmp_path: Path) -> None:
    hyperparameters = replace(HYPERPARAMETERS, precision="mixed_bfloat16")

    model, history = fit(_build, **SPLITS, hyperparameters=hyperparameters, folder=tmp_path)

    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert history[-1].validation_accuracy > 0.9
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    assert measure_split(model, VALIDATION)[1] == pytest.approx(history[-1].validation_accuracy, abs=0.03)
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_targets_are_smoothed_and_uniform_for_outliers() -> None:
    rows = make_targets(_build(), np.array([2, OUTLIER]), label_smoothing=0.3)

    np.testing.assert_allclose(rows, [[0.1, 0.1, 0.8], [1 / 3, 1 / 3, 1 / 3]], atol=1e-6)


@pytest.mark.parametrize(("seed", "epoch"), [(2**32 - 1, 1), (7, 4096), (7, 1_000_000)])
def test_every_seed_and_epoch_has_a_state_of_the_dropout_of_its_own(seed: int, epoch: int) -> None:
    def states(number: int) -> list[list[int]]:
        _seed_dropout(model, epoch=number)
        layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
        return [np.asarray(layer.seed_generator.state).tolist() for layer in layers]

    hyperparameters = replace(HYPERPARAMETERS, seed=seed, dropout=0.2)
    network = Network(hyperparameters, DataStatistics(classes=3)).image(12, 12).flatten()
    model = network.dense(4).dropout().dense(4).dropout().classifier()

    seen = [state for number in (0, 1, epoch, epoch + 1) for state in states(number)]
    assert len(states(epoch)) == 2
    distinct = {tuple(state) for state in seen}
    assert len(distinct) == 2 * len({0, 1, epoch, epoch + 1})
