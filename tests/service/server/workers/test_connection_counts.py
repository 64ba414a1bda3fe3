"""The workers of a server share the numbers of their connections."""

import math
from pathlib import Path

import pytest

from service.server.workers import connection_counts
from service.server.workers.connection_counts import ConnectionCounts


def _workers(folder: Path, *connections: int, server: int = 1) -> list[ConnectionCounts]:
    workers = [ConnectionCounts(folder, server=server, worker=number) for number in range(len(connections))]
    for worker, held in zip(workers, connections, strict=True):
        worker.discover()
        worker.publish(held)
    return workers


def test_the_fewest_of_the_other_workers_is_known_at_once(tmp_path: Path) -> None:
    first, second, third = _workers(tmp_path, 4, 2, 9)
    for worker in (first, second, third):
        worker.discover()

    assert [first.fewest(), second.fewest(), third.fewest()] == [2, 4, 2]
    second.publish(5)
    assert [first.fewest(), second.fewest(), third.fewest()] == [5, 4, 4]


def test_a_worker_that_has_ended_does_not_count(tmp_path: Path) -> None:
    first, second = _workers(tmp_path, 4, 2)
    first.discover()
    second.close()
    first.discover()

    assert first.fewest() == math.inf


def test_a_worker_that_is_stuck_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = _workers(tmp_path, 4, 2)
    first.discover()
    assert first.fewest() == 2

    monkeypatch.setattr(connection_counts, "_STALE_S", 0.0)
    assert first.fewest() == math.inf


def test_workers_of_another_server_do_not_count(tmp_path: Path) -> None:
    (lone,) = _workers(tmp_path, 4, server=1)
    _workers(tmp_path, 0, server=11)
    lone.discover()

    assert lone.fewest() == math.inf


def test_workers_find_each_other_again_when_the_folder_was_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _workers(tmp_path, 4, 2)
    first.discover()
    for path in tmp_path.iterdir():
        path.unlink()
    for worker in (first, second, first):
        worker.discover()
    # The file of the first one was there again before the second one noticed that it had gone.
    monkeypatch.setattr(connection_counts, "_STALE_S", 0.0)
    second.discover()
    monkeypatch.undo()
    first.publish(5)
    second.publish(3)

    assert [first.fewest(), second.fewest()] == [3, 5]


def test_without_the_folder_the_other_workers_do_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "missing"
    folder.mkdir()
    first, _ = _workers(folder, 4, 2)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    first.discover()
    first.publish(5)

    assert first.fewest() == math.inf
