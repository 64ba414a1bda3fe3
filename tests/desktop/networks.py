"""Makes small networks for the tests: nearest class means, as ONNX files with cards."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from service.inference import Card
from service.inference.card import (
    InputSpec,
    Layer,
    Metrics,
    OnnxFile,
    Provenance,
    RecipeInfo,
    TrainingRun,
    write_card,
)
from service.inference.preprocessing import Vocabulary

DATA = Path(__file__).parents[1] / "data"
DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def write_models(folder: Path) -> Path:
    """Write a small network for each model, and two versions of ``mnist``."""
    digits = np.load(DATA / "mnist.npz")
    means = _means(digits["x"], digits["y"])
    for version, sharpness in ((1, 8.0), (2, 12.0)):
        card = _card("mnist", version, "Handwritten digits", DIGITS, (-1, 28, 28), "digit")
        _write(folder, card, *_nearest(means, sharpness))
    garments = np.load(DATA / "fashion_mnist.npz")
    card = _card("fashion_mnist", 1, "Garments", GARMENTS, (-1, 28, 28), "garment")
    _write(folder, card, *_nearest(_means(garments["x"], garments["y"]), 8.0))
    things = np.load(DATA / "cifar10.npz")
    card = _card("cifar10", 1, "Things and animals", THINGS, (-1, 32, 32, 3), "photo")
    _write(folder, card, *_nearest(_means(things["x"], things["y"]), 8.0))
    random = np.random.default_rng(1)
    card = _card("cats_vs_dogs", 1, "Cats and dogs", ("cat", "dog"), (-1, 64, 64, 3), "photo")
    _write(folder, card, random.normal(0, 0.02, (64 * 64 * 3, 2)), np.zeros(2))
    _write_text_model(folder)
    return folder


def _means(pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    rows = pictures.reshape(len(pictures), -1) / 255.0
    return np.stack([rows[labels.ravel() == label].mean(axis=0) for label in range(10)])


def _nearest(means: np.ndarray, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases whose softmax is largest for the nearest mean."""
    scale = sharpness / means.shape[1] ** 0.5
    return 2 * means.T * scale, -(means**2).sum(axis=1) * scale


def _card(
    name: str, version: int, title: str, labels: tuple[str, ...], shape: tuple[int, ...], kind: str
) -> Card:
    text = kind == "text"
    return Card(
        name=name, version=version, title=title, labels=labels,
        task="text-classification" if text else "image-classification",
        input=InputSpec(
            name="ids" if text else "image", dtype="int32" if text else "uint8", shape=shape,
            color_mode="none" if text else "L" if len(shape) == 3 else "RGB",
            preprocessing=kind, parameters={},
        ),
        onnx=OnnxFile(sha256="0" * 64, bytes=0, opset=17),
        recipe=RecipeInfo(name="test", settings={}), parameters=7850,
        layers=(Layer(name="flatten", type="Flatten", output_shape=(-1, 784), parameters=0),
                Layer(name="dense", type="Dense", output_shape=(-1, 10), parameters=7850)),
        training=TrainingRun(
            dataset="sample", dataset_sha256="0" * 64, splits={}, epochs=1, seed=0, seconds=0.0,
            machine="", versions={},
        ),
        metrics=Metrics(
            accuracy=0.5, log_loss=1.0, expected_calibration_error=0.1, per_class_accuracy={}, count=1
        ),
        max_keras_difference=0.0, unsure_below=0.6,
        provenance=Provenance(license="", data="", weights=""),
    )  # fmt: skip


def _write(folder: Path, card: Card, weights: np.ndarray, biases: np.ndarray) -> None:
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["levels"], ["row"]),
        helper.make_node("Mul", ["row", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "weights", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    tensors = {"weights": weights, "biases": biases, "scale": np.array(1 / 255)}
    _save(folder, card, nodes, tensors, TensorProto.UINT8)


def _write_text_model(folder: Path) -> None:
    card = _card("imdb", 1, "Film reviews", ("negative", "positive"), (-1, -1), "text")
    words = ("good", "great", "bad", "awful", "film")
    table = np.array([[0, 0], [-2, 2], [-3, 3], [2, -2], [3, -3], [0, 0]])
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["each"]),
        helper.make_node("ReduceSum", ["each", "axes"], ["logits"], keepdims=0),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    target = folder / "imdb" / "1"
    target.mkdir(parents=True)
    Vocabulary(words).write(target / "vocabulary.txt")
    _save(folder, card, nodes, {"table": table, "axes": np.array([1])}, TensorProto.INT32)


def _save(folder: Path, card: Card, nodes: list, tensors: dict[str, np.ndarray], kind: int) -> None:
    shape = ["n" if size == -1 else size for size in card.input.shape]
    constants = [
        numpy_helper.from_array(value.astype(np.int64 if name == "axes" else np.float32), name)
        for name, value in tensors.items()
    ]
    graph = helper.make_graph(
        nodes,
        card.name,
        [helper.make_tensor_value_info(card.input.name, kind, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(card.labels)])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    target = folder / card.name / str(card.version)
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(content)
    file = OnnxFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), opset=17)
    write_card(replace(card, onnx=file), target / "card.json")
