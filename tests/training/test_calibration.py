"""Temperature scaling undoes over-confidence, and touches no answer."""

import keras
import numpy as np
import pytest

from training.calibration import divide_logits, fit_temperature
from training.errors import ExportError
from training.layers import DataFacts, Network
from training.settings import Settings


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("factor", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 10])
def test_finds_the_factor_by_which_confidence_is_wrong(factor: float, classes: int) -> None:
    random = np.random.default_rng(4)
    logits = random.normal(0, 2, (20_000, classes))
    true = _softmax(logits)
    y = (random.random((20_000, 1)) < true.cumsum(axis=1)).argmax(axis=1)

    found = fit_temperature(_softmax(logits * factor).astype(np.float32), y)

    assert found == pytest.approx(factor, rel=0.05)


def test_certainties_that_float32_rounds_to_one_do_no_harm() -> None:
    probabilities = np.array([[1.0, 0.0]] * 99 + [[0.0, 1.0]], dtype=np.float32)

    assert fit_temperature(probabilities, np.zeros(100, dtype=np.int64)) > 1


@pytest.mark.parametrize("classes", [2, 10])
def test_dividing_the_logits_is_softmax_at_that_temperature(classes: int) -> None:
    keras.utils.set_random_seed(2)
    network = Network(Settings(epochs=1), shape=(8, 8)).scale(DataFacts(classes=classes))
    model = network.conv(3).flatten().classify(classes)
    model.layers[-1].set_weights([3 * weights for weights in model.layers[-1].get_weights()])
    pixels = np.random.default_rng(1).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    before = keras.ops.convert_to_numpy(model(pixels)).astype(np.float64)

    divide_logits(model, 2.0)

    after = keras.ops.convert_to_numpy(model(pixels))
    pairs = np.concatenate([1 - before, before], axis=1) if classes == 2 else before
    expected = _softmax(np.log(pairs) / 2)
    np.testing.assert_allclose(after, expected[:, 1:] if classes == 2 else expected, atol=1e-5)


def test_a_classifier_within_the_network_is_found() -> None:
    features = keras.Input((3,))
    head = keras.Model(features, keras.layers.Dense(2, activation="softmax")(features))
    inputs = keras.Input((3,))
    model = keras.Model(inputs, head(keras.layers.Rescaling(2.0)(inputs)))
    kernel = head.layers[-1].get_weights()[0]

    divide_logits(model, 4.0)

    np.testing.assert_allclose(head.layers[-1].get_weights()[0], kernel / 4)


def test_a_network_without_logits_is_refused() -> None:
    pixels = keras.Input((4, 4, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3, name="last")(pixels))

    with pytest.raises(ExportError, match="last"):
        divide_logits(keras.Model(pixels, keras.layers.Softmax()(pooled)), 2.0)
