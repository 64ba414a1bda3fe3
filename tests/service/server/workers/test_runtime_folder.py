"""The files of a worker that has ended do not stand for another process that gets its number."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.server.execution.shared_state import SharedState, WorkerState
from service.server.workers.connection_counts import ConnectionCounts
from service.server.workers.runtime_folder import RuntimeFolder


@pytest.fixture
def folder() -> Iterator[RuntimeFolder]:
    with RuntimeFolder() as made:
        yield made


def test_what_a_killed_worker_has_reported_is_removed(folder: RuntimeFolder) -> None:
    metrics = Path(folder.prepare(1)["PROMETHEUS_MULTIPROC_DIR"])
    # A process that is alive, as one that has got the number of the worker.
    killed, other = os.getppid(), os.getpid()
    for worker in (killed, other):
        ConnectionCounts(metrics, server=1, worker=worker)
        SharedState(metrics, server=1, worker=worker).report(WorkerState(change=3))

    folder.clean(1, killed)

    assert SharedState(metrics, server=1, worker=other).others() == []
    assert not list(metrics.glob(f"*_{killed}*"))
    assert len(list(metrics.glob(f"*_{other}*"))) == 2
