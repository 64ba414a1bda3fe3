"""A classifier is divided and joined without a change of its answers."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from desktop.teach.feature_network import remove_last_layer
from desktop.teach.regression import LastLayer
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.errors import ModelError


def run(content: bytes, batch: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


@pytest.mark.parametrize(
    ("name", "version"),
    [("mnist", 1), ("mnist", 2), ("fashion_mnist", 1), ("cats_vs_dogs", 3), ("cifar10", 1)],
)
def test_the_last_layer_joined_again_answers_as_before(name: str, version: int) -> None:
    card = Catalog(BUNDLED).card(name, version)
    content = (BUNDLED / name / str(version) / "model.onnx").read_bytes()
    shape = (3, *card.input.shape[1:])
    batch = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    network = remove_last_layer(content, name)
    joined = network.with_layer(network.last)

    expected = run(content, batch)
    np.testing.assert_allclose(run(joined.SerializeToString(), batch), expected, atol=2e-5)
    features = run(network.proto.SerializeToString(), batch)
    assert features.shape == (3, len(network.last.weights))
    other = LastLayer(np.zeros((features.shape[1], 5)), np.array([0, 0, 9.0, 0, 0]))
    assert (run(network.with_layer(other).SerializeToString(), batch).argmax(axis=1) == 2).all()


def test_a_network_made_of_several_is_refused() -> None:
    content = (BUNDLED / "cifar10" / "3" / "model.onnx").read_bytes()
    with pytest.raises(ModelError, match="does not end in one dense layer"):
        remove_last_layer(content, "cifar10 3")


@pytest.mark.parametrize("content", [b"", b"no network", Path(__file__).read_bytes()])
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError):
        remove_last_layer(content, "x")
