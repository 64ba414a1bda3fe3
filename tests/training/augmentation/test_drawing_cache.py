"""Drawings are made once, also by two commands at a time, and again if their file is damaged."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.augmentation import drawing_cache
from training.augmentation.drawing_cache import clean_drawings, draw_once


def _draw(count: int) -> np.ndarray:
    return np.full((count, 2, 2), count, dtype=np.uint8)


class _Pool:
    """Stands for the worker processes, and waits for the test."""

    began, go = threading.Event(), threading.Event()
    calls = 0

    def __init__(self, *_: object, **__: object) -> None:
        type(self).calls += 1

    def __enter__(self) -> "_Pool":
        self.began.set()
        assert self.go.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, draw: Callable[[Any], np.ndarray], tasks: list[Any]) -> Iterator[np.ndarray]:
        return map(draw, tasks)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> type[_Pool]:
    class Pool(_Pool):
        began, go = threading.Event(), threading.Event()

    monkeypatch.setattr(drawing_cache, "ProcessPoolExecutor", Pool)
    return Pool


def test_drawings_that_another_command_makes_are_awaited(cache: Path, pool: type[_Pool]) -> None:
    with ThreadPoolExecutor(2) as threads:
        results = [threads.submit(draw_once, "squares", b"key", _draw, [2, 3]) for _ in range(2)]
        assert pool.began.wait(30)
        pool.go.set()
        first, second = (result.result() for result in results)

    assert pool.calls == 1
    assert np.array_equal(first, second)
    assert [path.suffix for path in cache.iterdir()] == [".npy"]


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00v\x00{'descr': '|u1'"])
def test_a_damaged_file_is_drawn_again(cache: Path, pool: type[_Pool], content: bytes) -> None:
    pool.go.set()
    before = draw_once("squares", b"key", _draw, [2, 3])
    (path,) = cache.iterdir()
    path.write_bytes(content)

    assert np.array_equal(draw_once("squares", b"key", _draw, [2, 3]), before)
    assert np.array_equal(np.load(path), before)


def test_cleaning_deletes_drawings_and_no_data(cache: Path, pool: type[_Pool]) -> None:
    pool.go.set()
    draw_once("straight-ones", b"key", _draw, [2, 3])
    (cache / "mine.npy").write_bytes(b"the user's")

    assert clean_drawings() > 20
    assert [path.name for path in cache.iterdir()] == ["mine.npy"]
