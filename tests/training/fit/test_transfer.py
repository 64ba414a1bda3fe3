"""Transfer learning: cached activations, and the layers that are trained."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from training.datasets.folder import load_folder
from training.fit import feature_cache
from training.fit.feature_cache import clean_cache, compute_once
from training.fit.run import best_epoch, load_run
from training.fit.train import train
from training.hyperparameters import Hyperparameters
from training.networks import pretrained
from training.networks.pretrained import build_transfer, unfreeze
from training.recipes import load_recipe
from training.recipes.cats_dogs_finetune import FINE_TUNING, RECIPE
from training.reporting.runs import read_report

HYPERPARAMETERS = Hyperparameters(epochs=1, dropout=0.2)


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "WEIGHTS", None)


def _rows(chunk: slice) -> np.ndarray:
    return np.arange(chunk.start, chunk.stop, dtype=np.float32)[:, None] * np.ones(3)


def test_activations_are_computed_once(tmp_path: Path) -> None:
    computed: list[slice] = []

    def compute(chunk: slice) -> np.ndarray:
        computed.append(chunk)
        return _rows(chunk)

    for _ in range(2):
        rows, _ = compute_once(tmp_path / "rows.f16", compute, count=250, shape=(3,))

    assert np.array_equal(rows[:, 0], np.arange(250))
    assert computed == [slice(0, 100), slice(100, 200), slice(200, 250)]


def test_computing_activations_continues_after_a_kill(tmp_path: Path) -> None:
    computed: list[int] = []

    def compute(chunk: slice) -> np.ndarray:
        computed.append(chunk.start)
        if computed == [0, 100]:
            raise KeyboardInterrupt
        return _rows(chunk)

    with pytest.raises(KeyboardInterrupt):
        compute_once(tmp_path / "rows.f16", compute, count=250, shape=(3,))
    with (tmp_path / ".rows.f16.part").open("ab") as part:
        part.write(b"half of a row")
    rows, _ = compute_once(tmp_path / "rows.f16", compute, count=250, shape=(3,))

    assert computed == [0, 100, 100, 200]
    assert np.array_equal(rows[:, 2], np.arange(250))


def test_the_cache_deletes_what_was_not_used_for_the_longest_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "MAX_BYTES", 5_000)  # each file has 1,500 bytes of rows
    for number, name in enumerate("abc"):
        compute_once(tmp_path / f"{name}.f16", _rows, count=250, shape=(3,))
        os.utime(tmp_path / f"{name}.f16", (number, number))
    compute_once(tmp_path / "a.f16", _rows, count=250, shape=(3,))

    compute_once(tmp_path / "d.f16", _rows, count=250, shape=(3,))

    assert sorted(path.name for path in tmp_path.glob("*.f16")) == ["a.f16", "c.f16", "d.f16"]
    assert clean_cache(tmp_path) > 4_500
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_same_run_are_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "MAX_BYTES", 2_000)  # each file has 1,500 bytes of rows
    earlier, *own = (tmp_path / f"{name}.f16" for name in ("earlier", "training", "validation"))

    for path in (earlier, *own):
        compute_once(path, _rows, count=250, shape=(3,), keep=own)

    assert sorted(tmp_path.glob("*.f16")) == own


def test_two_trainings_do_not_compute_the_same_activations(tmp_path: Path) -> None:
    waits = threading.Event()

    def compute(chunk: slice) -> np.ndarray:
        if chunk.start == 100:
            assert waits.wait(30)
        return _rows(chunk)

    def other(chunk: slice) -> np.ndarray:
        raise AssertionError("the rows are computed already")

    def watch(done: int, total: int) -> None:
        assert (done, total) == (100, 250)
        # What is computed is not deleted meanwhile.
        assert clean_cache(tmp_path) == 0
        waits.set()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(compute_once, tmp_path / "rows.f16", compute, count=250, shape=(3,))
        while not (tmp_path / ".rows.f16.part").exists() or not (tmp_path / ".rows.f16.part").stat().st_size:
            assert not first.done()
        rows, _ = compute_once(tmp_path / "rows.f16", other, count=250, shape=(3,), progress=watch)
        assert np.array_equal(first.result()[0], rows)

    assert waits.is_set()
    assert np.array_equal(rows[:, 0], np.arange(250))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.f16", "rows.json"]


class _Pictures:
    """A reporter that records the numbers of pictures."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, int]] = {}

    def step(self, **figures: object) -> None:
        pass

    def epoch(self, row: object, *, epochs: int) -> None:
        pass

    def begin(self, model: keras.Model, *, finished: int, epochs: int) -> None:
        pass

    def network(self, model: keras.Model, *, epoch: int) -> None:
        pass

    def pictures(self, done: int, total: int, *, split: str) -> None:
        self.last[split] = (done, total)


def test_models_of_a_transfer_network_agree() -> None:
    keras.utils.set_random_seed(1)
    transfer = build_transfer(HYPERPARAMETERS, classes=2)
    pictures = np.random.default_rng(2).integers(0, 256, (2, 180, 180, 3), dtype=np.uint8)

    activations = np.asarray(transfer.lower.predict_on_batch(pictures))

    assert activations.shape == (2, 14, 14, 96)
    probabilities = transfer.full.predict_on_batch(pictures)
    np.testing.assert_allclose(transfer.fine_tuning.predict_on_batch(activations), probabilities, atol=1e-3)
    pooled = transfer.pooled.predict_on_batch(activations)
    np.testing.assert_allclose(transfer.head.predict_on_batch(pooled), probabilities, atol=1e-3)


def test_small_images_are_enlarged_to_the_size_of_the_base() -> None:
    transfer = build_transfer(HYPERPARAMETERS, classes=10, size=32, base_size=120)

    assert transfer.full.input_shape == (None, 32, 32, 3)
    assert transfer.full.output_shape == (None, 10)
    assert transfer.base.input_shape == (None, 120, 120, 3)
    assert transfer.full.get_layer("enlarge").output.shape == (None, 120, 120, 3)


def test_unfreezing_the_top_keeps_batch_normalisation_and_the_lower_layers_frozen() -> None:
    transfer = build_transfer(HYPERPARAMETERS, classes=2)
    assert len(transfer.fine_tuning.trainable_weights) == 2

    unfreeze(transfer, "top")

    names = [layer.name for layer in transfer.base.layers]
    trained = [layer.name for layer in transfer.base.layers if layer.trainable and layer.weights]
    assert transfer.cut == "block_12_add"
    assert min(names.index(name) for name in trained) > names.index(transfer.cut)
    assert not any(
        isinstance(transfer.base.get_layer(name), keras.layers.BatchNormalization) for name in trained
    )
    assert trained


def test_fine_tuning_trains_both_stages_and_resumes(cache: Path, own_pictures: Path, tmp_path: Path) -> None:
    dataset = load_folder(own_pictures, preprocessing="photo", size=pretrained.SIZE)
    fine_tuning = replace(FINE_TUNING, epochs=1, batch_size=8, learning_rate=1e-3)
    hyperparameters = replace(RECIPE.hyperparameters, epochs=2, batch_size=8)
    recipe = replace(RECIPE, hyperparameters=hyperparameters, fine_tuning=fine_tuning)
    arguments = {"dataset": dataset, "folder": tmp_path / "run"}

    reporter = _Pictures()
    run = train(recipe, **arguments, reporter=reporter)
    again = train(recipe, **arguments, resume=True)

    # The user's pictures are counted, not their augmented copies.
    assert reporter.last == {"training": (24, 24), "validation": (4, 4)}
    history = run.history
    assert [row.number for row in history] == [1, 2, 3]
    assert again.history == history
    assert run.record.settings["fine_tuning"]["epochs"] == 1
    assert len(list((cache / "activations").glob("*.f16"))) == 4
    model = load_run(tmp_path / "run").model
    answers = np.asarray(model.predict(dataset.validation.x, verbose=0))[:, 0]
    loss = -np.log(np.where(dataset.validation.y == 1, answers, 1 - answers)).mean()
    assert loss == pytest.approx(history[-1].validation_loss, abs=2e-3)


def test_the_epoch_that_two_stages_report_is_the_one_whose_weights_are_kept(
    cache: Path, own_pictures: Path, tmp_path: Path
) -> None:
    dataset = load_folder(own_pictures, preprocessing="photo", size=pretrained.SIZE)
    # The first stage stops early; the second one makes the network worse.
    hyperparameters = replace(RECIPE.hyperparameters, epochs=3, batch_size=8, early_stopping=2)
    fine_tuning = replace(FINE_TUNING, epochs=1, batch_size=8, learning_rate=1.0)
    recipe = replace(RECIPE, hyperparameters=hyperparameters, fine_tuning=fine_tuning)

    run = train(recipe, dataset=dataset, folder=tmp_path / "run")

    assert [row.stage for row in run.history[-2:]] == [1, 2]
    assert best_epoch(run.history).stage == 1
    answers = np.asarray(run.model.predict(dataset.validation.x, verbose=0))[:, 0]
    accuracy = ((answers > 0.5) == dataset.validation.y).mean()
    assert run.final_epoch is run.history[-1]
    assert run.final_epoch.validation_accuracy == pytest.approx(accuracy)
    assert read_report(tmp_path, "run").final == run.final_epoch


def test_fine_tuning_of_the_whole_base_trains_it_on_images(
    cache: Path, own_pictures: Path, tmp_path: Path
) -> None:
    dataset = load_folder(own_pictures, preprocessing="photo", size=pretrained.SIZE)
    recipe = RECIPE.configure({"unfreeze": "all", "epochs": 1, "batch_size": 8})
    assert recipe.fine_tuning is not None
    fine_tuning = replace(recipe.fine_tuning, epochs=1, batch_size=8, learning_rate=1e-3)

    run = train(replace(recipe, fine_tuning=fine_tuning), dataset=dataset, folder=tmp_path / "run")

    keras.utils.set_random_seed(recipe.hyperparameters.seed)
    before = build_transfer(recipe.hyperparameters, classes=2).base
    after = next(
        layer for layer in run.model.layers if isinstance(layer, keras.Model) and len(layer.layers) > 9
    )
    changed = [
        layer.name
        for layer, other in zip(after.layers, before.layers, strict=True)
        if layer.weights and not np.array_equal(layer.get_weights()[0], other.get_weights()[0])
    ]
    assert {"Conv1", "block_1_expand", "Conv_1"} <= set(changed)
    assert not any("BN" in name or name.startswith("bn_") for name in changed)
    assert run.record.settings["fine_tuning"]["unfreeze"] == "all"
    assert [row.number for row in run.history] == [1, 2]


def test_activations_that_would_fill_the_cache_are_stored_for_fine_tuning_alone(
    cache: Path, own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_folder(own_pictures, preprocessing="photo", size=pretrained.SIZE)
    hyperparameters = replace(RECIPE.hyperparameters, epochs=2, batch_size=8)
    recipe = replace(RECIPE, hyperparameters=hyperparameters, fine_tuning=None)
    with_cache = train(recipe, dataset=dataset, folder=tmp_path / "with")
    assert clean_cache(cache / "activations") > 0

    monkeypatch.setattr("training.fit.base_activations.MAX_BYTES", 100_000)
    without = train(recipe, dataset=dataset, folder=tmp_path / "without")

    names = [path.name for path in (cache / "activations").glob("*.f16")]
    assert len(names) == 2
    assert all("-pooled" in name for name in names)
    assert [row.loss for row in without.history] == pytest.approx([row.loss for row in with_cache.history])


def test_a_run_whose_activations_exceed_the_limit_computes_them_once(
    cache: Path, own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_folder(own_pictures, preprocessing="photo", size=pretrained.SIZE)
    recipe = replace(
        RECIPE,
        hyperparameters=replace(RECIPE.hyperparameters, epochs=1, batch_size=8),
        fine_tuning=replace(FINE_TUNING, epochs=1, batch_size=8),
    )
    monkeypatch.setattr(feature_cache, "MAX_BYTES", 100_000)  # one file of a split has more
    earlier = cache / "activations" / "earlier.f16"
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(bytes(100))

    train(recipe, dataset=dataset, folder=tmp_path / "first")
    reporter = _Pictures()
    train(recipe, dataset=dataset, folder=tmp_path / "second", reporter=reporter)

    assert reporter.last == {}  # no picture goes through the base again
    assert not earlier.exists()
    assert len(list(earlier.parent.glob("*.f16"))) == 4


def test_both_recipes_share_the_cached_activations() -> None:
    features, finetune = (load_recipe(f"cats-dogs-{name}") for name in ("features", "finetune"))

    assert features.hyperparameters.augmentation == finetune.hyperparameters.augmentation
    assert features.hyperparameters.seed == finetune.hyperparameters.seed
