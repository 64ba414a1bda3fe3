"""What the workers of a server know of each other's connections."""

import math
from pathlib import Path

import pytest

from service.server.workers import connection_counts
from service.server.workers.connection_counts import ConnectionCounts


def _workers(folder: Path, *connections: int, server: int = 1) -> list[ConnectionCounts]:
    workers = [ConnectionCounts(folder, server=server, worker=number) for number in range(len(connections))]
    for worker, held in zip(workers, connections, strict=True):
        worker.look_around()
        worker.publish(held)
    return workers


def test_the_fewest_of_the_other_workers_is_known_at_once(tmp_path: Path) -> None:
    first, second, third = _workers(tmp_path, 4, 2, 9)
    for worker in (first, second, third):
        worker.look_around()

    assert [first.fewest(), second.fewest(), third.fewest()] == [2, 4, 2]
    second.publish(5)
    assert [first.fewest(), second.fewest(), third.fewest()] == [5, 4, 4]


def test_a_worker_that_left_is_not_waited_for(tmp_path: Path) -> None:
    first, second = _workers(tmp_path, 4, 2)
    first.look_around()
    second.close()
    first.look_around()

    assert first.fewest() == math.inf


def test_a_worker_that_is_stuck_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = _workers(tmp_path, 4, 2)
    first.look_around()
    assert first.fewest() == 2

    monkeypatch.setattr(connection_counts, "_STALE_S", 0.0)
    assert first.fewest() == math.inf


def test_workers_of_another_server_are_none_of_ours(tmp_path: Path) -> None:
    (lone,) = _workers(tmp_path, 4, server=1)
    _workers(tmp_path, 0, server=11)
    lone.look_around()

    assert lone.fewest() == math.inf


def test_workers_find_each_other_again_when_the_folder_was_emptied(tmp_path: Path) -> None:
    first, second = _workers(tmp_path, 4, 2)
    first.look_around()
    for path in tmp_path.iterdir():
        path.unlink()
    for worker in (first, second, first):
        worker.look_around()
    second.publish(3)

    assert first.fewest() == 3


def test_a_folder_that_is_gone_costs_no_more_than_fairness(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    first, _ = _workers(folder, 4, 2)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    first.look_around()
    first.publish(5)

    assert first.fewest() == math.inf
