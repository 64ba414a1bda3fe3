"""Memory that loading and measuring a network needs is returned."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from service.inference.catalog import Catalog
from service.inference.session import shrinking
from service.server.execution.heap import return_freed_memory, trim_heap


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' resident memory")
def test_the_memory_of_a_large_batch_is_returned(models_folder: Path) -> None:
    predictor = Catalog(models_folder, arena=True, providers=("cpu",)).predictor("cats_vs_dogs")
    trim_heap()
    before = _resident_mb()
    predictor.probabilities(np.ones((24, *predictor.card.input.shape[1:]), np.uint8))
    grown = _resident_mb() - before
    predictor.shrink_arena()
    trim_heap()
    assert grown > 50
    assert _resident_mb() - before < grown / 2


def test_a_network_without_an_arena_is_left_alone(tmp_path: Path, tiny_model: Callable[..., Path]) -> None:
    tiny_model(tmp_path)
    predictor = Catalog(tmp_path, arena=False).predictor("mnist")
    predictor.shrink_arena()
    with pytest.raises(Exception, match="arena"):
        predictor._session.run(None, {"image": np.ones((1, 28, 28), np.uint8)}, shrinking())


def test_freed_memory_is_returned_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    return_freed_memory()
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())  # such as musl
    return_freed_memory()
