"""Synthetic outliers for networks of photos are colour pictures of several kinds, the same for a seed."""

from pathlib import Path

import numpy as np

from training.augmentation.photo_outliers import make_photo_outliers


def test_the_kinds_take_turns(data_folder: Path) -> None:
    with np.load(data_folder / "cifar10.npz") as sample:
        photos = sample["x"]

    made = make_photo_outliers(photos, count=40, rng=np.random.default_rng(0))

    assert made.shape == (40, 32, 32, 3)
    assert made.dtype == np.uint8
    noise, two_colours, collages, shapes = (made[kind::4].astype(int) for kind in range(4))
    pixels = two_colours.reshape(10, -1, 3)
    flatness = [np.linalg.svd(one - one.mean(axis=0), compute_uv=False)[1] for one in pixels]
    assert max(flatness) < 60  # all colours of one picture are on a line, but for rounding
    known = {tuple(colour) for colour in photos.reshape(-1, 3).tolist()}
    assert {tuple(colour) for colour in collages.reshape(-1, 3).tolist()} <= known
    colours = [len(np.unique(one.reshape(-1, 3), axis=0)) for one in shapes]
    assert np.median(colours) < np.median([len(np.unique(one.reshape(-1, 3), axis=0)) for one in noise])
    again = make_photo_outliers(photos, count=40, rng=np.random.default_rng(0))
    assert np.array_equal(made, again)
