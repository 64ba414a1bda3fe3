"""A detector makes the network unsure about pictures without a class, and about few others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from PIL import Image

from service.inference.catalog import BUNDLED
from service.inference.preprocessing import prepare_photo
from training.augmentation.outlier_exposure import make_noise
from training.datasets.dataset import Examples
from training.errors import ExportError
from training.export.calibration import Calibration
from training.export.detector_examples import garment_examples, photo_examples
from training.export.graph.head import insert_calibration, remove_calibration
from training.export.graph.int8 import choose_nodes
from training.export.inference import run_network
from training.export.outlier_detector import PREFIX, fit_detector, insert_detector, remove_detector

Pixels = npt.NDArray[np.uint8]
UNSURE_BELOW = 0.7


@pytest.fixture(scope="module")
def garments(data_folder: Path) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Real test pictures of Fashion-MNIST and their classes."""
    with np.load(data_folder / "fashion_mnist.npz") as sample:
        return sample["x"], sample["y"].astype(np.int64)


@pytest.fixture
def network() -> onnx.ModelProto:
    """The committed network of garments, without a calibration and a detector."""
    proto = onnx.load(BUNDLED / "fashion_mnist" / "2" / "model.onnx")
    remove_calibration(proto)
    remove_detector(proto)
    return proto


def test_digits_become_unsure_and_garments_keep_their_labels(
    garments: tuple[Pixels, npt.NDArray[np.int64]],
    mnist_sample: Examples,
    network: onnx.ModelProto,
) -> None:
    x, y = garments
    before = run_network(network, x)
    half = len(x) // 2

    examples, validation = garment_examples(x[:half], count=300), Examples(x[half:], y[half:])
    found = fit_detector(network, examples, validation, unsure_below=UNSURE_BELOW)
    insert_detector(network, found)

    after, digits = run_network(network, x), run_network(network, mnist_sample.x)
    assert np.array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert (digits.max(axis=1) < UNSURE_BELOW).mean() > 0.9
    lost = (before.max(axis=1) >= UNSURE_BELOW) & (after.max(axis=1) < UNSURE_BELOW)
    assert lost[half:].mean() < 0.03


def test_garments_become_unsure_in_a_network_of_photos(
    garments: tuple[Pixels, npt.NDArray[np.int64]], data_folder: Path, tmp_path: Path
) -> None:
    with np.load(data_folder / "cifar10.npz") as sample:
        photos = Examples(sample["x"], sample["y"].astype(np.int64))
    network = onnx.load(BUNDLED / "cifar10" / "1" / "model.onnx")
    remove_calibration(network)
    coloured = np.repeat(garments[0][..., np.newaxis], 3, axis=-1)
    for number, picture in enumerate(coloured[:120]):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    others = np.stack([prepare_photo(Image.fromarray(picture), size=32) for picture in coloured[120:]])
    before, sure_before = run_network(network, photos.x), run_network(network, others).max(axis=1)
    half = len(photos) // 2
    examples = photo_examples(photos.x[:half], tmp_path, synthetic=90)
    without = network.SerializeToString()

    found = fit_detector(network, examples, photos.take(slice(half, None)), unsure_below=UNSURE_BELOW)
    insert_detector(network, found)

    after, sure_after = run_network(network, photos.x), run_network(network, others).max(axis=1)
    assert np.array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert (sure_before >= UNSURE_BELOW).mean() > 2 * (sure_after >= UNSURE_BELOW).mean()
    assert (sure_after < UNSURE_BELOW).mean() > 0.8
    assert not any(name.startswith(PREFIX) for name in choose_nodes(network.graph))
    assert {"ReduceMean", "ReduceL2"} <= {node.op_type for node in network.graph.node}
    remove_detector(network)
    assert network.SerializeToString() == without


def test_a_factor_of_nearly_zero_keeps_the_labels(
    garments: tuple[Pixels, npt.NDArray[np.int64]], network: onnx.ModelProto
) -> None:
    x, y = garments
    labels = run_network(network, x).argmax(axis=1)
    examples, validation = garment_examples(x[:100], count=60), Examples(x[100:], y[100:])
    found = fit_detector(network, examples, validation, unsure_below=UNSURE_BELOW)

    # In float32, the logits times the first factor are nearly equal, and those times the second one are 0.
    for score in (-17.0, -200.0):
        insert_detector(network, replace(found, weights=np.zeros_like(found.weights), bias=score))
        probabilities = run_network(network, x)
        assert np.array_equal(probabilities.argmax(axis=1), labels)
        assert probabilities.max() < 0.11
        for calibration in (
            Calibration(temperature=4.0),
            Calibration(temperature=4.0, power=2.6, margin_temperature=4.0),
        ):
            insert_calibration(network, calibration)
            assert np.array_equal(run_network(network, x).argmax(axis=1), labels)
        remove_calibration(network)
        remove_detector(network)


def test_a_detector_can_be_removed_below_a_calibration(
    garments: tuple[Pixels, npt.NDArray[np.int64]],
    network: onnx.ModelProto,
) -> None:
    x, y = garments
    before = network.SerializeToString()
    assert PREFIX.encode() not in before  # of the committed detector, which an earlier version made
    examples, validation = garment_examples(x[:100], count=60), Examples(x[100:], y[100:])
    insert_detector(network, fit_detector(network, examples, validation, unsure_below=UNSURE_BELOW))
    insert_calibration(network, Calibration(temperature=0.6))

    remove_calibration(network)
    assert any(node.name.startswith(PREFIX) for node in network.graph.node)
    remove_detector(network)

    assert network.SerializeToString() == before


def test_a_layer_called_detector_stays(network: onnx.ModelProto) -> None:
    graph = network.graph
    constant = next(tensor for tensor in graph.initializer if tensor.name in graph.node[-3].input)
    user = graph.node[-3]
    user.input[list(user.input).index(constant.name)] = f"{PREFIX}kernel"
    user.name, constant.name = f"{PREFIX}{user.op_type}", f"{PREFIX}kernel"
    before = network.SerializeToString()

    remove_detector(network)

    assert network.SerializeToString() == before


def test_noise_fills_the_picture() -> None:
    rng = np.random.default_rng(0)
    pictures = [make_noise(28, rng) for _ in range(20)]

    assert {(picture.shape, picture.dtype) for picture in pictures} == {((28, 28), np.dtype(np.uint8))}
    assert min(float(picture.std()) for picture in pictures) > 20


def test_a_network_for_two_classes_takes_no_detector() -> None:
    network = onnx.load(BUNDLED / "cats_vs_dogs" / "1" / "model.onnx")
    remove_calibration(network)

    with pytest.raises(ExportError, match="has no softmax, as one for two classes"):
        remove_detector(network)
