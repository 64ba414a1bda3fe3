"""Recurrent networks are exported to ONNX's own operation, and predict as in Keras for any length."""

from collections import Counter

import keras
import numpy as np
import onnxruntime as ort
import pytest

from training.export.graph.conversion import to_onnx
from training.networks.network import Network
from training.networks.statistics import DataStatistics
from training.recipes import load_recipe


@pytest.fixture(scope="module", params=["imdb-conv1d", "imdb-gru"])
def model(request: pytest.FixtureRequest) -> keras.Model:
    """An untrained network of sequences."""
    keras.utils.set_random_seed(2)
    recipe = load_recipe(request.param).configure({"width": 0.2})
    statistics = DataStatistics(classes=2, log_count_ratios=(0.0,) * 10_000)
    network = recipe.build(Network(recipe.hyperparameters, statistics))
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(scale=0.3, size=array.shape) for array in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def session(model: keras.Model) -> ort.InferenceSession:
    return ort.InferenceSession(to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("lengths", [(1,), (2, 7), (5, 10, 3), (40, 1, 13, 40, 5), (400, 3)])
def test_predicts_as_keras_for_texts_of_any_length(
    model: keras.Model, session: ort.InferenceSession, lengths: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(len(lengths))
    ids = np.zeros((len(lengths), max(lengths)), dtype=np.int32)
    for row, length in zip(ids, lengths, strict=True):
        row[:length] = rng.integers(1, 10_001, length)

    (found,) = session.run(None, {"ids": ids})

    positive = model.predict(ids, verbose=0)[:, 0]
    np.testing.assert_allclose(found, np.stack([1 - positive, positive], axis=1), atol=1e-5)
    assert found.std() > 0.01 or len(lengths) == 1
    for row, length, expected in zip(ids, lengths, found, strict=True):
        (alone,) = session.run(None, {"ids": row[None, :length]})
        np.testing.assert_allclose(alone[0], expected, atol=1e-5)


def test_row_of_padding_alone_has_a_finite_prediction(session: ort.InferenceSession) -> None:
    (found,) = session.run(None, {"ids": np.zeros((2, 3), dtype=np.int32)})

    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_recurrence_is_one_operation_without_loops(model: keras.Model) -> None:
    operations = Counter(node.op_type for node in to_onnx(model).graph.node)

    assert operations["GRU"] == ("gru" in {layer.name for layer in model.layers})
    assert not operations.keys() & {"Loop", "Scan", "If"}
