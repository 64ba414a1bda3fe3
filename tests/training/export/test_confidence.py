"""Networks are calibrated, and a threshold of unsure predictions is chosen."""

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from service.inference.card import read_card
from service.inference.catalog import BUNDLED
from training.datasets.dataset import Dataset, Examples
from training.export.calibration import Calibration
from training.export.confidence import Confidence, calibrate_network, measure_coverage, target_accuracy_of
from training.export.inference import Splits, run_network

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


def test_a_model_keeps_the_accuracy_that_its_threshold_was_chosen_for() -> None:
    card = read_card(BUNDLED / "cats_vs_dogs" / "3" / "card.json")
    assert card.selective_prediction is not None
    earlier = replace(card, selective_prediction=replace(card.selective_prediction, target_accuracy=0.997))
    assert target_accuracy_of(earlier) == 0.997
    assert target_accuracy_of(replace(card, selective_prediction=None)) == 1.0  # that of the recipe
