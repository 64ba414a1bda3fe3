"""A garment is cut out of its picture and laid on a ground."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets import Examples
from training.evaluation.pictures.garment_scene import SceneStyle, lay_on_ground, outline


@pytest.fixture(scope="module")
def garments(data_folder: Path) -> Examples:
    """Real test pictures of Fashion-MNIST."""
    with np.load(data_folder / "fashion_mnist.npz") as sample:
        return Examples(sample["x"][:60], sample["y"][:60].astype(np.int64))


def test_a_garment_lies_on_its_ground(garments: Examples) -> None:
    ground = np.zeros((112, 112, 3), np.float32)
    ground[..., 1] = 0.8
    style = SceneStyle(hanging=0, worn=0, covered=0, compressed=0)
    rng = np.random.default_rng(4)
    for garment, label in zip(garments.x[:20], garments.y[:20], strict=True):
        scene = np.asarray(lay_on_ground(garment, int(label), ground, rng, style)).astype(int)
        # The ground is green in any light; a garment of just that green is not among these.
        is_ground = (scene[..., 1] > 3 * scene[..., 0] - 20) & (scene[..., 1] > 3 * scene[..., 2] - 20)
        assert is_ground[[0, 0, -1, -1], [0, -1, 0, -1]].all()
        assert 0.03 < 1 - is_ground.mean() < 0.9


def test_white_parts_belong_to_the_form_of_a_garment_and_handles_do_not() -> None:
    garment = np.zeros((28, 28), np.uint8)
    garment[4:24, 4:24] = 200
    garment[10:12, 10:12] = 0
    garment[14:20, 8:20] = 0

    form = outline(garment)

    assert form[10:12, 10:12].all()
    assert not form[15:19, 9:19].any()
    assert form.sum() == 20 * 20 - 6 * 12


def test_scenes_depend_on_the_seed_alone(garments: Examples) -> None:
    ground = np.full((64, 64, 3), 0.5, np.float32)
    style = SceneStyle(hanging=1, worn=0.5, covered=0.5)
    first, again, other = (
        lay_on_ground(garments.x[0], 3, ground, np.random.default_rng(seed), style) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert (ground == 0.5).all()
