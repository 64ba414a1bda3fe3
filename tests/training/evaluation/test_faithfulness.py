"""The proof of heat maps tells a map of what counts from one of what does not."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.datasets import Examples
from training.evaluation.faithfulness import measure_hiding


class _Corner:
    """Stands for a model that looks at the top left quarter of a picture alone, and for its heat maps."""

    def __init__(self, *, honest: bool) -> None:
        self.card = SimpleNamespace(labels=("dark", "bright"))
        self._honest = honest

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        bright = batch[:, :14, :14].reshape(len(batch), -1).mean(axis=1) / 255
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)

    def heat(self, pixels: np.ndarray, *, label: str) -> np.ndarray:
        assert label == "bright"
        heat = np.zeros((8, 8), dtype=np.float32)
        heat[:4, :4] = 1
        return heat if self._honest else heat[::-1, ::-1].copy()


@pytest.mark.parametrize("honest", [True, False])
def test_hiding_the_hottest_fifth_costs_more_only_where_the_map_is_of_what_counts(honest: bool) -> None:
    pictures = Examples(np.full((30, 28, 28), 240, dtype=np.uint8), np.zeros(30, dtype=np.int64))
    model: Any = _Corner(honest=honest)

    found = measure_hiding(model, model, pictures)

    assert found.count == 30
    assert 0.1 < found.random_drop < 0.3
    if honest:
        assert found.hottest_drop > 3 * found.random_drop
    else:
        assert found.hottest_drop == pytest.approx(0, abs=1e-6)
