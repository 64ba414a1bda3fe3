"""Damaged training pictures: as many as asked for, blurred as Pillow blurs, and repeatable."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from training.augmentation.corruptions import damage

_NOISE = 0.12 * 255


def _pictures(count: int, *shape: int) -> np.ndarray:
    """Smooth random pictures, as photos are more than noise is."""
    coarse = np.random.default_rng(1).random((count, 6, 6), dtype=np.float32)
    grey = np.stack(
        [np.asarray(Image.fromarray(one).resize(shape[:2], Image.Resampling.BICUBIC)) for one in coarse]
    )
    levels = np.clip(grey * 255, 0, 255).astype(np.uint8)
    return levels if len(shape) == 2 else np.repeat(levels[..., np.newaxis], shape[2], axis=3)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3)])
def test_about_the_share_that_was_asked_for_is_damaged_and_the_rest_untouched(shape: tuple[int, ...]) -> None:
    pictures = _pictures(1_000, *shape)
    damaged = damage(pictures, share=0.3, rng=np.random.default_rng(2))

    changed = (damaged != pictures).reshape(1_000, -1).any(axis=1)
    assert damaged.dtype == np.uint8
    assert damaged.shape == pictures.shape
    assert 0.2 < changed.mean() < 0.35


def test_a_third_is_blurred_to_all_degrees_as_pillow_does() -> None:
    edge = np.zeros((300, 28, 28), dtype=np.uint8)
    edge[:, 8:20, 8:20] = 255
    damaged = damage(edge, share=1.0, rng=np.random.default_rng(3))[:100]

    blurs = {
        sigma: np.asarray(
            Image.fromarray(edge[0]).filter(ImageFilter.GaussianBlur(float(sigma))), dtype=float
        )
        for sigma in np.arange(0.05, 1.3, 0.05)
    }
    closest = [min(blurs, key=lambda sigma: np.abs(blurs[sigma] - one).max()) for one in damaged]
    worst = max(np.abs(blurs[sigma] - one).max() for sigma, one in zip(closest, damaged, strict=True))
    # Pillow's is made of box filters, which come near to a Gaussian curve.
    assert worst < 20
    assert min(closest) < 0.4 < 1.0 < max(closest) < 1.3


def test_a_third_is_made_noisy_up_to_the_strength_that_is_measured() -> None:
    grey = np.full((300, 28, 28), 128, dtype=np.uint8)
    damaged = damage(grey, share=1.0, rng=np.random.default_rng(4))[100:200].astype(float)

    deviations = damaged.std(axis=(1, 2))
    assert np.abs(damaged.mean(axis=(1, 2)) - 128).max() < 6
    assert deviations.min() < 0.1 * _NOISE
    assert 0.9 * _NOISE < deviations.max() < 1.1 * _NOISE


def test_a_third_looks_compressed_but_the_same() -> None:
    pictures = _pictures(300, 28, 28)
    damaged = damage(pictures, share=1.0, rng=np.random.default_rng(5))[200:].astype(float)

    error = np.sqrt(((damaged - pictures[200:]) ** 2).mean(axis=(1, 2)))
    assert 0 < np.median(error) < 6


def test_the_same_state_of_the_generator_does_the_same_damage() -> None:
    pictures = _pictures(60, 28, 28)
    one, other = (damage(pictures, share=0.5, rng=np.random.default_rng(6)) for _ in range(2))

    assert np.array_equal(one, other)


def test_no_picture_at_all_is_no_fault() -> None:
    assert damage(np.zeros((0, 28, 28), np.uint8), share=0.5, rng=np.random.default_rng(7)).shape == (
        0,
        28,
        28,
    )
