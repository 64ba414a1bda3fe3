"""Networks are calibrated, and exported models recalibrated with all their files and figures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from service.inference.card import Card, Faithfulness, read_card
from service.inference.catalog import BUNDLED
from training import cli
from training.datasets.dataset import Dataset, Examples
from training.export.calibration import Calibration
from training.export.confidence import Confidence, calibrate_network, measure_coverage
from training.export.inference import Splits, run_network
from training.export.model_folder import rewrite
from training.export.recalibration import recalibrate

LABELS = tuple("abcde")
TARGET = 0.9


@pytest.fixture
def network() -> onnx.ModelProto:
    """A network of one dense layer on 28 x 28 pixels."""
    random = np.random.default_rng(3)
    kernel = random.normal(0, 3e-4, (784, len(LABELS))).astype(np.float32)
    bias = random.normal(0, 1, len(LABELS)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["levels", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    constants = {"shape": np.array([-1, 784]), "kernel": kernel, "bias": bias}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 28, 28])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(LABELS)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _pictures(count: int, *, seed: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def _splits(pictures: npt.NDArray[np.uint8], true: npt.NDArray[np.floating]) -> Splits:
    """Use the same pictures for both splits, with classes drawn from their true probabilities."""
    random = np.random.default_rng(5)
    examples = Examples(pictures, (random.random((len(true), 1)) < true.cumsum(axis=1)).argmax(axis=1))
    dataset = Dataset(
        name="random",
        labels=LABELS,
        train=examples,
        validation=examples,
        test=examples,
        sha256="",
        source="",
        license="",
    )
    return Splits(dataset, examples, examples)


def _calibrate(network: onnx.ModelProto, splits: Splits) -> Confidence:
    return calibrate_network(network, splits, labels=LABELS, target_accuracy=TARGET)


def test_an_overconfident_network_is_calibrated_in_its_graph(network: onnx.ModelProto) -> None:
    pictures = _pictures(3_000, seed=5)
    true = Calibration(temperature=2.0).apply(run_network(network, pictures))
    splits = _splits(pictures, true)

    found = _calibrate(network, splits)

    assert found.calibration.temperature == pytest.approx(2.0, rel=0.15)
    np.testing.assert_allclose(run_network(network, pictures), true, atol=0.05)
    assert _calibrate(network, splits).calibration == found.calibration


def test_the_figures_are_those_of_the_calibrated_network(network: onnx.ModelProto) -> None:
    pictures = _pictures(500, seed=1)
    splits = _splits(pictures, run_network(network, pictures))

    found = _calibrate(network, splits)

    probabilities = run_network(network, pictures)
    np.testing.assert_array_equal(found.probabilities, probabilities)
    assert found.metrics.count == 500
    assert found.selective_prediction.target_accuracy == TARGET
    coverage = measure_coverage(probabilities, splits.test.y, threshold=found.unsure_below)
    assert found.selective_prediction.test == coverage


def test_a_calibrated_network_is_unchanged(network: onnx.ModelProto) -> None:
    pictures = np.tile(_pictures(40, seed=0), (100, 1, 1))

    found = _calibrate(network, _splits(pictures, run_network(network, pictures))).calibration

    assert found == Calibration() or abs(np.log(found.temperature)) > 0.01


@pytest.fixture
def mislabeled_cache(mnist_cache: Path) -> Path:
    """The same digits, every eighth with a wrong label, so that no confidence can be high."""
    path = mnist_cache / "mnist.npz"
    with np.load(path) as file:
        arrays = dict(file)
    for name in ("y_train", "y_test"):
        arrays[name][::8] = (arrays[name][::8] + 1) % 10
    np.savez_compressed(path, **arrays)
    return mnist_cache


def test_confidence_and_dependent_figures_are_updated(
    overconfident_models: Path, mislabeled_cache: Path, load_consistent_card: Callable[[Path], Card]
) -> None:
    load_consistent_card(overconfident_models)

    recalibrate("mnist", version=1, models=overconfident_models)

    after = load_consistent_card(overconfident_models)
    assert after.selective_prediction is not None
    assert after.selective_prediction.target_accuracy == 0.999
    assert after.calibration is not None
    assert after.calibration.temperature > 1
    assert after.metrics.count == 100
    assert after.metrics.log_loss < 1
    assert after.extra == {"kept": 1}
    assert after.unsure_below != 0.5


def test_figures_that_depend_on_the_confidence_are_removed(
    overconfident_models: Path, mnist_cache: Path
) -> None:
    folder = overconfident_models / "mnist" / "1"
    measured = Faithfulness(hottest_drop=0.5, random_drop=0.1, count=200)
    before = rewrite(folder, replace(read_card(folder / "card.json"), faithfulness=measured))

    after = recalibrate("mnist", version=1, models=overconfident_models)

    dependent = ("out_of_distribution", "pen_digits", "drawings", "robustness", "faithfulness")
    assert [name for name in dependent if getattr(after, name) is not None] == []
    assert after.latency == before.latency


def test_recalibration_of_version_1_names_the_commands_that_compare_later_versions_again(
    overconfident_models: Path, mnist_cache: Path
) -> None:
    words = ["mnist", "--version", "1", "--recalibrate", "--record", "--models", str(overconfident_models)]
    refresh = f"evaluate mnist --version 2 --robustness --latency --record --models {overconfident_models}"

    alone = CliRunner().invoke(cli.evaluate, words, catch_exceptions=False)
    shutil.copytree(BUNDLED / "mnist" / "2", overconfident_models / "mnist" / "2")
    followed = CliRunner().invoke(cli.evaluate, words, catch_exceptions=False)

    assert refresh not in alone.output
    assert refresh in followed.output
