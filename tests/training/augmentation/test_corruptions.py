"""Corruption changes the share of pictures asked for, blurs as Pillow does, and is repeatable."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from training.augmentation.corruptions import corrupt

_NOISE = 0.12 * 255


def _pictures(count: int, *shape: int) -> np.ndarray:
    """Smooth random pictures, which resemble photos more than noise does."""
    coarse = np.random.default_rng(1).random((count, 6, 6), dtype=np.float32)
    grey = np.stack(
        [np.asarray(Image.fromarray(one).resize(shape[:2], Image.Resampling.BICUBIC)) for one in coarse]
    )
    levels = np.clip(grey * 255, 0, 255).astype(np.uint8)
    return levels if len(shape) == 2 else np.repeat(levels[..., np.newaxis], shape[2], axis=3)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3)])
def test_corrupts_about_the_given_share_and_leaves_the_rest(shape: tuple[int, ...]) -> None:
    pictures = _pictures(1_000, *shape)
    corrupted = corrupt(pictures, share=0.3, rng=np.random.default_rng(2))

    changed = (corrupted != pictures).reshape(1_000, -1).any(axis=1)
    assert corrupted.dtype == np.uint8
    assert corrupted.shape == pictures.shape
    assert 0.2 < changed.mean() < 0.35


def test_blurs_a_third_with_all_severities_as_pillow_does() -> None:
    edge = np.zeros((300, 28, 28), dtype=np.uint8)
    edge[:, 8:20, 8:20] = 255
    corrupted = corrupt(edge, share=1.0, rng=np.random.default_rng(3))[:100]

    blurs = {
        sigma: np.asarray(
            Image.fromarray(edge[0]).filter(ImageFilter.GaussianBlur(float(sigma))), dtype=float
        )
        for sigma in np.arange(0.05, 1.3, 0.05)
    }
    closest = [min(blurs, key=lambda sigma: np.abs(blurs[sigma] - one).max()) for one in corrupted]
    worst = max(np.abs(blurs[sigma] - one).max() for sigma, one in zip(closest, corrupted, strict=True))
    # Pillow approximates the Gaussian kernel by box filters.
    assert worst < 20
    assert min(closest) < 0.4 < 1.0 < max(closest) < 1.3


def test_adds_noise_to_a_third_up_to_the_upper_limit() -> None:
    grey = np.full((300, 28, 28), 128, dtype=np.uint8)
    corrupted = corrupt(grey, share=1.0, rng=np.random.default_rng(4))[100:200].astype(float)

    deviations = corrupted.std(axis=(1, 2))
    assert np.abs(corrupted.mean(axis=(1, 2)) - 128).max() < 6
    assert deviations.min() < 0.1 * _NOISE
    assert 0.9 * _NOISE < deviations.max() < 1.1 * _NOISE


def test_compression_changes_a_third_a_little() -> None:
    pictures = _pictures(300, 28, 28)
    corrupted = corrupt(pictures, share=1.0, rng=np.random.default_rng(5))[200:].astype(float)

    error = np.sqrt(((corrupted - pictures[200:]) ** 2).mean(axis=(1, 2)))
    assert 0 < np.median(error) < 6


def test_equal_generators_give_equal_corruptions() -> None:
    pictures = _pictures(60, 28, 28)
    one, other = (corrupt(pictures, share=0.5, rng=np.random.default_rng(6)) for _ in range(2))

    assert np.array_equal(one, other)


def test_an_empty_batch_stays_empty() -> None:
    assert corrupt(np.zeros((0, 28, 28), np.uint8), share=0.5, rng=np.random.default_rng(7)).shape == (
        0,
        28,
        28,
    )
