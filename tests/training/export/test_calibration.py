"""The calibration corrects wrong confidences, and uses further parameters only if they pay."""

import tracemalloc

import numpy as np
import pytest

from training.export.calibration import (
    Calibration,
    fit_calibration,
    fit_offsets,
    fit_power,
    fit_power_and_share,
    fit_temperature,
)
from training.metrics import calibration_error, chance_level_error


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _draw(true: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw classes from their probabilities."""
    return (random.random((len(true), 1)) < true.cumsum(axis=1)).argmax(axis=1)


@pytest.mark.parametrize("factor", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 10])
def test_finds_the_temperature_of_an_over_or_underconfident_network(factor: float, classes: int) -> None:
    random = np.random.default_rng(4)
    logits = random.normal(0, 2, (4_000, classes))
    y = _draw(_softmax(logits), random)

    found = fit_calibration(_softmax(logits * factor).astype(np.float32), y)

    assert found.method == "temperature"
    assert found.temperature == pytest.approx(factor, rel=0.05)


def test_finds_offsets_if_the_shares_of_the_labels_are_wrong() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (8_000, 3))
    offsets = np.array([0.5, -0.7, 0.2])
    y = _draw(_softmax(logits / 2 + offsets), random)

    found = fit_calibration(_softmax(logits), y)

    assert found == fit_offsets(_softmax(logits), y)
    assert found.method == "temperature and offsets"
    assert found.temperature == pytest.approx(2, rel=0.05)
    np.testing.assert_allclose(found.offsets, offsets, atol=0.06)


def test_finds_the_power_that_reduces_large_logits_of_two_labels() -> None:
    random = np.random.default_rng(2)
    difference = random.normal(0, 4, 8_000)
    bent = np.sign(difference) * np.abs(difference / 0.8) ** 0.7
    y = (random.random(8_000) < 1 / (1 + np.exp(-bent))).astype(np.int64)
    probabilities = _softmax(np.stack([-difference, difference], axis=1) / 2)

    found = fit_calibration(probabilities, y)

    assert found == fit_power(probabilities, y)
    assert found.power == pytest.approx(0.7, abs=0.05)
    assert found.temperature == pytest.approx(0.8, rel=0.15)
    changed = found.apply(probabilities)
    assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert calibration_error(changed.max(axis=1), changed.argmax(axis=1) == y) < 0.012


def test_finds_the_power_of_the_margin_after_smoothed_labels() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (8_000, 10))
    probabilities = _softmax(logits)
    true = Calibration(temperature=1.2, power=1.8, margin_temperature=2.0).apply(probabilities)
    y = _draw(true, random)

    found = fit_calibration(probabilities, y)

    assert found == fit_power(probabilities, y)
    assert found.power == pytest.approx(1.8, abs=0.25)
    assert found.temperature == pytest.approx(1.2, rel=0.1)
    assert found.margin_temperature == pytest.approx(2.0, rel=0.15)
    changed = found.apply(probabilities)
    assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    np.testing.assert_allclose(changed, true, atol=0.03)


def test_finds_the_power_that_is_added_to_a_share_of_the_margin() -> None:
    random = np.random.default_rng(3)
    probabilities = _softmax(random.normal(0, 2, (8_000, 10)))
    true = Calibration(temperature=1.2, power=4.0, margin_temperature=2.5, margin_share=0.8)
    y = _draw(true.apply(probabilities), random)

    found = fit_calibration(probabilities, y)

    assert found == fit_power_and_share(probabilities, y)
    assert found.margin_share == pytest.approx(0.8, abs=0.15)
    changed = found.apply(probabilities)
    assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    np.testing.assert_allclose(changed, true.apply(probabilities), atol=0.04)


def test_the_margin_of_two_labels_gets_a_power_alone() -> None:
    random = np.random.default_rng(3)
    probabilities = _softmax(random.normal(0, 2, (2_000, 2)))
    y = _draw(Calibration(temperature=1.2, power=1.8).apply(probabilities), random)

    assert fit_power_and_share(probabilities, y) == fit_power(probabilities, y)


def test_probabilities_of_exactly_one_are_accepted() -> None:
    probabilities = np.array([[1.0, 0.0]] * 99 + [[0.0, 1.0]], dtype=np.float32)

    assert fit_temperature(probabilities, np.zeros(100, dtype=np.int64)).temperature > 1


def test_logits_without_a_second_temperature_have_a_valid_calibration() -> None:
    probabilities = np.full((60, 3), 0.25, dtype=np.float32)
    y = np.arange(60) % 3
    probabilities[np.arange(60), y] = 0.5

    found = fit_power(probabilities, y)

    assert 0.25 <= found.temperature <= 4
    assert np.isfinite(found.apply(probabilities)).all()


def test_offsets_are_not_tried_if_labels_are_to_be_kept() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (2_000, 3))
    probabilities = _softmax(logits)
    y = _draw(_softmax(logits / 2 + np.array([0.5, -0.7, 0.2])), random)

    found = fit_calibration(probabilities, y, keeps_labels=True)

    assert fit_calibration(probabilities, y).offsets
    assert not found.offsets
    assert np.array_equal(found.apply(probabilities).argmax(axis=1), probabilities.argmax(axis=1))


def test_offsets_without_a_gain_are_not_used() -> None:
    random = np.random.default_rng(7)
    true = _softmax(random.normal(0, 2, (1_000, 10)))

    assert fit_calibration(true, _draw(true, random)).offsets == ()


def test_a_temperature_divides_the_logits() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 4))

    np.testing.assert_allclose(Calibration(temperature=3.0).apply(_softmax(logits)), _softmax(logits / 3))


def test_the_chance_level_error_shrinks_with_the_number_of_examples() -> None:
    confidence = np.random.default_rng(0).uniform(0.5, 1, 10_000)

    few, many = chance_level_error(confidence[:100]), chance_level_error(confidence)

    assert few == pytest.approx(10 * many, rel=0.2)
    assert many < 0.015


@pytest.mark.parametrize("spread", [1e-3, 5e-3])
def test_a_network_without_a_mistake_is_calibrated_without_warnings(spread: float) -> None:
    y = np.arange(18) % 2
    logits = (2 * y - 1) * 0.03 + 0.02 + np.random.default_rng(0).normal(0, spread, 18)
    probabilities = _softmax(np.stack([-logits / 2, logits / 2], axis=1)).astype(np.float32)

    calibrated = fit_calibration(probabilities, y).apply(probabilities)

    assert np.isfinite(calibrated).all()
    assert (calibrated.argmax(axis=1) == y).all()


def test_the_memory_of_the_fit_does_not_grow_with_the_square_of_the_classes() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (400, 100))
    y = _draw(_softmax(logits), random)
    probabilities = _softmax(logits)

    tracemalloc.start()
    found = fit_offsets(probabilities, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(found.offsets) == 100
    assert peak < 20 * probabilities.nbytes
