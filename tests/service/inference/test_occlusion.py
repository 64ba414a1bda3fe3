"""Tests of heat maps by occlusion."""

import numpy as np
import pytest

from service.inference.occlusion import occlusion_heat


def _corners(pictures: np.ndarray) -> np.ndarray:
    """Fake network: label 0 is a bright top left corner, label 1 a bright bottom right corner."""
    grey = pictures if pictures.ndim == 3 else pictures.mean(axis=3)
    third = grey.shape[1] // 3
    scores = np.stack([grey[:, :third, :third], grey[:, -third:, -third:]], axis=1).mean(axis=(2, 3)) / 64
    odds = np.exp(scores)
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("shape", [(28, 28), (180, 180, 3)])
def test_heat_is_positive_for_evidence_and_negative_for_counter_evidence(
    shape: tuple[int, ...],
) -> None:
    pixels = np.zeros(shape, dtype=np.uint8)
    third = shape[0] // 3
    pixels[:third, :third] = 250
    pixels[-third:, -third:] = 200

    heat = occlusion_heat(_corners, pixels, label=0)

    assert heat.shape == (8, 8)
    assert heat.dtype == np.float32
    assert max(np.unravel_index(heat.argmax(), heat.shape)) <= 2
    assert min(np.unravel_index(heat.argmin(), heat.shape)) >= 5
    np.testing.assert_allclose(occlusion_heat(_corners, pixels, label=1), -heat, atol=1e-5)


def test_cells_that_look_like_the_cover_have_no_heat() -> None:
    pixels = np.zeros((28, 28), dtype=np.uint8)
    assert not occlusion_heat(_corners, pixels, label=0).any()
    pixels[2:5, 2:5] = 255
    heat = occlusion_heat(_corners, pixels, label=0)
    assert (heat[:2, :2] > 0).all()
    assert not heat[2:].any()
    assert not heat[:, 2:].any()


def test_cells_are_distinguished_although_the_network_is_almost_certain() -> None:
    def certain(pictures: np.ndarray) -> np.ndarray:
        doubt = np.exp(-20 - pictures[:, :9, :9].mean(axis=(1, 2)) / 25.0)
        return np.stack([np.ones(len(pictures)), doubt], axis=1).astype(np.float32)

    pixels = np.full((28, 28), 255, dtype=np.uint8)

    heat = occlusion_heat(certain, pixels, label=0)

    assert heat[1, 1] > 1
    assert np.abs(heat[3:]).max() < heat[1, 1] / 10


def test_heat_sums_to_the_loss_when_everything_is_covered() -> None:
    worth = np.random.default_rng(3).normal(0.5, 1, (4, 4)).repeat(2, axis=0).repeat(2, axis=1)

    def network(pictures: np.ndarray) -> np.ndarray:
        places = pictures.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)) / 255
        odds = np.exp((places * worth / 4).sum(axis=(1, 2)))
        return np.stack([odds / (1 + odds), 1 / (1 + odds)], axis=1).astype(np.float32)

    heat = occlusion_heat(network, np.full((32, 32), 255, dtype=np.uint8), label=0)

    assert heat.sum() == pytest.approx(worth.sum() / 4, rel=0.1)
    assert np.corrcoef(heat.ravel(), worth.ravel())[0, 1] > 0.9


def test_picture_is_unchanged_and_runs_are_small() -> None:
    sizes = []

    def network(pictures: np.ndarray) -> np.ndarray:
        sizes.append(len(pictures))
        return np.full((len(pictures), 3), 1 / 3, dtype=np.float32)

    pixels = np.random.default_rng(1).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    before = pixels.copy()

    assert not occlusion_heat(network, pixels, label=2).any()
    assert np.array_equal(pixels, before)
    assert sum(sizes) == 129
    assert max(sizes) <= 16
