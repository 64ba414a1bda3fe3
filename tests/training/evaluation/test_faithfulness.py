"""The deletion test distinguishes faithful heat maps from others."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.datasets import Examples
from training.evaluation.faithfulness import evaluate_faithfulness


class _CornerModel:
    """A model that uses only the top left quarter of a picture, and its explainer."""

    def __init__(self, *, faithful: bool) -> None:
        self.card = SimpleNamespace(labels=("dark", "bright"))
        self._faithful = faithful

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        bright = batch[:, :14, :14].reshape(len(batch), -1).mean(axis=1) / 255
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)

    def heat(self, pixels: np.ndarray, *, label: str) -> np.ndarray:
        assert label == "bright"
        heat = np.zeros((8, 8), dtype=np.float32)
        heat[:4, :4] = 1
        return heat if self._faithful else heat[::-1, ::-1].copy()


@pytest.mark.parametrize("faithful", [True, False])
def test_covering_the_hottest_fifth_costs_more_only_for_a_faithful_map(faithful: bool) -> None:
    pictures = Examples(np.full((30, 28, 28), 240, dtype=np.uint8), np.zeros(30, dtype=np.int64))
    model: Any = _CornerModel(faithful=faithful)

    found = evaluate_faithfulness(model, model, pictures)

    assert found.count == 30
    assert 0.1 < found.random_drop < 0.3
    if faithful:
        assert found.hottest_drop > 3 * found.random_drop
    else:
        assert found.hottest_drop == pytest.approx(0, abs=1e-6)
