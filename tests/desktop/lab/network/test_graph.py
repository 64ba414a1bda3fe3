"""Tests that the stages found in an ONNX file compute what ONNX Runtime computes."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from desktop.lab.network.activations import Activations, NetworkRunner
from desktop.lab.network.graph import read_network, with_logit
from desktop.lab.network.stage import Function, StageKind
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.errors import ChecksumMismatch, InvalidInput, ModelError

CATALOG = Catalog(BUNDLED)
PICTURES = [
    (card.name, version)
    for card in CATALOG
    if card.task == "image-classification"
    for version in CATALOG.versions(card.name)
]
FUNCTIONS = {
    Function.RELU: lambda x: np.maximum(x, 0),
    Function.RELU6: lambda x: np.clip(x, 0, 6),
    Function.ELU: lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    Function.SILU: lambda x: x / (1 + np.exp(-x.astype(np.float64))),
    Function.SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
    Function.TANH: np.tanh,
}


def run(name: str, version: int) -> Activations:
    card = CATALOG.card(name, version)
    pixels = np.random.default_rng(4).integers(0, 256, card.input.shape[1:], dtype=np.uint8)
    return NetworkRunner.load(CATALOG.folder(card), card).run(pixels)


@pytest.mark.parametrize(("name", "version"), PICTURES)
def test_the_scores_are_those_of_the_predictor(name: str, version: int) -> None:
    found = run(name, version)
    expected = CATALOG.predictor(name, version).probabilities(found.pixels[None])[0]
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


@pytest.mark.parametrize(("name", "version"), PICTURES)
def test_every_stage_but_the_convolutions_computes_what_it_says(name: str, version: int) -> None:
    found = run(name, version)
    stages = found.network.stages
    for number, stage in enumerate(stages):
        values = found.values(number)
        if stage.kind in (StageKind.INPUT, StageKind.CONVOLUTION, StageKind.SCORES):
            continue
        read = found.read(number)
        if stage.kind is StageKind.ACTIVATION:
            expected = FUNCTIONS[stage.function](read)
        elif stage.kind is StageKind.NORMALIZATION:
            shape = (-1, *[1] * (read.ndim - 1))
            expected = read * stage.weights.reshape(shape) + stage.bias.reshape(shape)
        elif stage.kind is StageKind.RESIZING:
            planes = [Image.fromarray(plane) for plane in read]
            size = values.shape[:0:-1]
            expected = np.stack([plane.resize(size, Image.Resampling.BILINEAR) for plane in planes])
        elif stage.kind is StageKind.POOLING:
            (window,) = stage.windows
            views = np.lib.stride_tricks.sliding_window_view(read, (window.size, window.size), axis=(1, 2))
            views = views[:, :: window.stride, :: window.stride]
            expected = (
                views.max(axis=(3, 4)) if stage.function is Function.MAXIMUM else views.mean(axis=(3, 4))
            )
        elif stage.kind is StageKind.GLOBAL_POOLING:
            reduce = np.max if stage.function is Function.MAXIMUM else np.mean
            expected = reduce(read, axis=(1, 2))
        elif stage.kind is StageKind.ADDITION:
            one, other = (found.values(source) for source in stage.sources)
            expected = one + other
        elif stage.kind is StageKind.MULTIPLICATION:
            one, other = (found.values(source) for source in stage.sources)
            expected = one * other
        else:
            assert stage.kind is StageKind.DENSE
            expected = read.ravel() @ stage.weights + (0.0 if stage.bias is None else stage.bias)
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-3, err_msg=f"{number} {stage.kind}")


@pytest.mark.parametrize(("name", "version"), PICTURES)
def test_the_scores_follow_from_the_logits(name: str, version: int) -> None:
    found = run(name, version)
    logits = found.logits.astype(np.float64)
    if found.network.stages[-1].function is Function.SIGMOID:
        second = 1 / (1 + np.exp(-logits[0]))
        expected = np.array([1 - second, second])
    else:
        powers = np.exp(logits - logits.max())
        expected = powers / powers.sum()
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_the_stages_of_the_lecture_s_network() -> None:
    network = run("mnist", 1).network
    kinds = [stage.kind for stage in network.stages]
    convolution = [StageKind.CONVOLUTION, StageKind.ACTIVATION]
    assert kinds == [
        StageKind.INPUT,
        *convolution, StageKind.POOLING, *convolution, StageKind.POOLING, *convolution,
        StageKind.DENSE, StageKind.ACTIVATION, StageKind.DENSE, StageKind.SCORES,
    ]  # fmt: skip
    card = CATALOG.card("mnist", 1)
    assert sum(stage.parameters for stage in network.stages) == card.parameters


def test_the_layers_of_one_network_of_an_ensemble_are_found() -> None:
    network = run("fashion_mnist", 2).network
    count = sum(stage.kind is StageKind.CONVOLUTION for stage in network.stages)
    explained = CATALOG.card("fashion_mnist", 2).explanation
    assert explained is not None
    assert count == len(explained.layers)


def with_new_detector(content: bytes) -> bytes:
    """Return a network with a detector and a calibration of this version in place of its own."""
    head = pytest.importorskip("training.export.graph.head")
    calibration = pytest.importorskip("training.export.calibration").Calibration(temperature=2.0, power=1.5)
    detectors = pytest.importorskip("training.export.outlier_detector")
    model = onnx.load_model_from_string(content)
    head.remove_calibration(model)
    detectors.remove_detector(model)
    dense = read_network(model.SerializeToString(), "without.onnx").stages[-2]
    detector = detectors.OutlierDetector(
        tensors=(dense.input,), weights=np.zeros(dense.weights.shape[0]), bias=0.0
    )
    detectors.insert_detector(model, detector)
    head.insert_calibration(model, calibration)
    return model.SerializeToString()


@pytest.mark.parametrize("new", [False, True])
def test_a_detector_of_pictures_without_a_class_is_no_stage(new: bool) -> None:
    card = CATALOG.card("fashion_mnist", 2)
    content = (CATALOG.folder(card) / "model.onnx").read_bytes()
    content = with_new_detector(content) if new else content
    names = {node.name for node in onnx.load_model_from_string(content).graph.node}
    # The committed detector was made by an earlier version.
    assert ("detector/factor" in names, "detector/kept" in names) == (True, new)

    stages = read_network(content, "model.onnx").stages

    dense = [stage for stage in stages if stage.kind is StageKind.DENSE]
    assert [stage.weights.shape[1] for stage in dense] == [len(card.labels)]
    assert stages[-2] is dense[0]
    assert stages[-1].sources == (len(stages) - 2,)
    convolutions = sum(stage.kind is StageKind.CONVOLUTION for stage in stages)
    assert card.explanation is not None
    assert convolutions == len(card.explanation.layers)


@pytest.mark.parametrize("name", ["calibration/scaled_dense", "calibration/dense", "detector/logits"])
def test_a_last_layer_with_the_name_of_an_export_s_node_is_a_stage(name: str) -> None:
    model = onnx.load_model_from_string(small_network())
    model.graph.node[-2].name = name

    network = read_network(model.SerializeToString(), "small.onnx")

    assert network.stages[-2].kind is StageKind.DENSE
    assert with_logit(model.SerializeToString(), "small.onnx")[1] == "logits"


def small_network(*, last: str = "Softmax") -> bytes:
    """Return a network with the operators that other exporters write: Gemm, BatchNormalization, Constant."""
    random = np.random.default_rng(2)
    tensors = {
        "kernel": random.normal(size=(2, 1, 3, 3)), "scale": np.array([1.5, 2]), "shift": np.array([0.5, -1]),
        "mean": np.array([0.1, 0.2]), "variance": np.array([4.0, 9.0]),
        "weights": random.normal(size=(3, 72)),
        "bias": random.normal(size=3),
    }  # fmt: skip
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], [-1, 1, 8, 8])
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node("Reshape", ["levels", "shape"], ["plane"]),
        helper.make_node("Conv", ["plane", "kernel"], ["convolved"]),
        helper.make_node(
            "BatchNormalization",
            ["convolved", "scale", "shift", "mean", "variance"],
            ["normal"],
            epsilon=0.01,
        ),
        helper.make_node("Tanh", ["normal"], ["active"]),
        helper.make_node("Flatten", ["active"], ["row"]),
        helper.make_node("Gemm", ["row", "weights", "bias"], ["logits"], transB=1),
        helper.make_node(last, ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in tensors.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def test_operators_of_other_exporters_are_read() -> None:
    network = read_network(small_network(), "small.onnx")
    assert [stage.kind for stage in network.stages] == [
        StageKind.INPUT, StageKind.CONVOLUTION, StageKind.NORMALIZATION, StageKind.ACTIVATION,
        StageKind.DENSE, StageKind.SCORES,
    ]  # fmt: skip
    normalization, dense = network.stages[2], network.stages[4]
    np.testing.assert_allclose(normalization.weights, [1.5 / np.sqrt(4.01), 2 / np.sqrt(9.01)], rtol=1e-6)
    np.testing.assert_allclose(
        normalization.bias, [0.5 - 0.15 / np.sqrt(4.01), -1 - 0.4 / np.sqrt(9.01)], rtol=1e-6
    )
    assert dense.weights.shape == (72, 3)
    assert network.logits == "logits"


def test_a_file_that_is_no_classifier_is_refused() -> None:
    with pytest.raises(ModelError, match="neither softmax nor sigmoid"):
        read_network(small_network(last="Identity"), "small.onnx")
    with pytest.raises(ModelError, match="no ONNX file"):
        read_network(b"not a network", "small.onnx")


def test_texts_and_changed_files_are_refused() -> None:
    imdb, mnist, cifar = (CATALOG.card(name, 1) for name in ("imdb", "mnist", "cifar10"))
    with pytest.raises(InvalidInput, match="reads texts"):
        NetworkRunner.load(CATALOG.folder(imdb), imdb)
    with pytest.raises(ChecksumMismatch):
        NetworkRunner.load(CATALOG.folder(cifar), mnist)
    runner = NetworkRunner.load(CATALOG.folder(mnist), mnist)
    with pytest.raises(InvalidInput, match="expects uint8 of shape"):
        runner.run(np.zeros((32, 32), dtype=np.uint8))
