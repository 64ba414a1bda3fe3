"""The 8-bit form is as accurate as the network and smaller; otherwise it is not written."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from msgspec.structs import replace

from service.inference.card import Card, QuantizedFile, read_card
from service.inference.catalog import BUNDLED, Catalog
from service.inference.files import sha256_of
from training.datasets.dataset import Dataset, Examples
from training.errors import ExportError
from training.export import quantization, recalibration
from training.export.inference import Splits
from training.export.model_folder import rewrite


@pytest.fixture(scope="module")
def photos(data_folder: Path) -> Dataset:
    """Real test pictures of CIFAR-10, the same in all splits."""
    with np.load(data_folder / "cifar10.npz") as sample:
        examples = Examples(sample["x"][:120], sample["y"][:120].astype(np.int64))
    return Dataset(
        name="cifar10",
        labels=tuple(map(str, range(10))),
        train=examples,
        validation=examples,
        test=examples,
        sha256="",
        source="",
        license="",
    )


@pytest.fixture
def cifar10(tmp_path: Path, photos: Dataset, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with cifar10 1, whose data set is the sample."""
    return _use_sample(photos, tmp_path, monkeypatch)


def _use_sample(photos: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(BUNDLED / "cifar10" / "1", folder / "cifar10" / "1")
    splits = Splits(photos, photos.validation, photos.test)
    monkeypatch.setattr(quantization, "load_splits", lambda card, folder, data: splits)
    monkeypatch.setattr(quantization, "MAX_ACCURACY_LOSS", 0.05)  # of 120 pictures, five
    return folder


@dataclass(frozen=True)
class Quantized:
    """A folder of models with cifar10 1 and its 8-bit form, the card, and what was tried."""

    models: Path
    card: Card
    trials: tuple[quantization.Trial, ...]


@pytest.fixture(scope="module")
def quantized(photos: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Quantized:
    """The 8-bit form that was made on the sample; tests only read it."""
    trials: list[quantization.Trial] = []
    with pytest.MonkeyPatch.context() as context:
        models = _use_sample(photos, tmp_path_factory.mktemp("quantized"), context)
        card = quantization.quantize_model("cifar10", version=None, models=models, announce=trials.append)
    return Quantized(models, card, tuple(trials))


def test_the_8_bit_form_is_written_and_described_in_the_card(quantized: Quantized, photos: Dataset) -> None:
    cifar10, card, trials = quantized.models, quantized.card, quantized.trials

    folder = cifar10 / "cifar10" / "1"
    assert read_card(folder / "card.json") == card
    form = card.quantized
    assert form is not None
    assert form.sha256 == sha256_of(folder / "model.int8.onnx")
    assert form.bytes == (folder / "model.int8.onnx").stat().st_size < card.onnx.bytes / 2
    assert form.milliseconds > 0
    best = min(trials, key=lambda trial: trial.metrics.log_loss)
    assert (form.calibration, form.float_nodes) == (str(best.method), best.float_nodes)
    float32, int8 = (
        Catalog(cifar10, providers=("cpu",), precision=precision)
        .predictor("cifar10")
        .probabilities(photos.test.x)
        for precision in ("float32", "int8")
    )
    assert np.abs(float32 - int8).mean() < 0.02
    assert np.abs(int8.sum(axis=1) - 1).max() < 1e-5  # softmax is computed in floats


def test_convolutions_run_in_8_bits_once_loaded(quantized: Quantized, tmp_path: Path) -> None:
    """ONNX Runtime replaces the pairs of quantisation nodes by 8-bit operations."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    options.log_severity_level = 3
    path = quantized.models / "cifar10" / "1" / "model.int8.onnx"
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "loaded.onnx").graph.node]
    assert kinds.count("QLinearConv") >= 5
    assert kinds.count("Conv") + kinds.count("FusedConv") <= 1  # the first one may stay in floats


def test_recalibration_updates_the_8_bit_form(
    quantized: Quantized, photos: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cifar10 = shutil.copytree(quantized.models, tmp_path / "models")
    # Half of the labels are wrong, so the network is overconfident.
    wrong = Examples(photos.test.x, np.where(np.arange(120) % 2, photos.test.y, (photos.test.y + 1) % 10))
    splits = Splits(photos, wrong, photos.test)
    monkeypatch.setattr(recalibration, "load_splits", lambda card, folder, data: splits)
    card = recalibration.recalibrate("cifar10", version=1, models=cifar10)

    assert card.calibration is not None
    assert card.calibration.temperature > 1.2
    float32, int8 = (
        Catalog(cifar10, providers=("cpu",), precision=precision)
        .predictor("cifar10")
        .probabilities(photos.test.x)
        for precision in ("float32", "int8")
    )
    assert np.abs(float32 - int8).mean() < 0.02
    assert card.quantized is not None
    assert card.quantized.metrics.log_loss == pytest.approx(card.metrics.log_loss, rel=0.1)


def test_a_form_that_loses_too_much_accuracy_is_not_written(
    cifar10: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "MAX_ACCURACY_LOSS", -1.0)
    files = [cifar10 / "cifar10" / "1" / name for name in ("card.json", "model.int8.onnx")]
    before = [sha256_of(path) for path in files]
    with pytest.raises(ExportError, match=r"cifar10 1 loses .* nothing was written"):
        quantization.quantize_model("cifar10", version=1, models=cifar10)
    assert [sha256_of(path) for path in files] == before


def test_text_and_dense_networks_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportError, match="imdb reads texts"):
        quantization.quantize_model("imdb", version=None, models=BUNDLED)
    shutil.copytree(BUNDLED / "fashion_mnist" / "1", tmp_path / "fashion_mnist" / "1")
    blank = Examples(np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.int64))
    blank.x[:, 5:20, 8:20] = 200
    dataset = Dataset(
        name="fashion_mnist",
        labels=("a", "b"),
        train=blank,
        validation=blank,
        test=blank,
        sha256="",
        source="",
        license="",
    )
    splits = Splits(dataset, blank, blank)
    monkeypatch.setattr(quantization, "load_splits", lambda card, folder, data: splits)
    with pytest.raises(ExportError, match="fashion_mnist 1 has no convolution"):
        quantization.quantize_model("fashion_mnist", version=1, models=tmp_path)


def test_changes_of_the_card_that_were_made_meanwhile_are_kept(
    cifar10: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cifar10 / "cifar10" / "1"
    before = read_card(folder / "card.json")
    assert before.quantized is not None
    content = (folder / "model.int8.onnx").read_bytes()

    def make_int8(*_: object, **__: object) -> tuple[QuantizedFile, bytes]:
        rewrite(folder, replace(before, title="Another title"))
        assert before.quantized is not None
        return before.quantized, content

    monkeypatch.setattr(quantization, "make_int8", make_int8)

    quantization.quantize_model("cifar10", version=1, models=cifar10)

    assert read_card(folder / "card.json").title == "Another title"
