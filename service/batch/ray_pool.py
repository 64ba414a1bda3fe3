"""Runs tasks in actors of a Ray cluster, and replaces actors and nodes that end.

Ray places and starts the actors. Reading and writing are left to each actor, and retries to the schedule:
Ray's own writer doubles rows when a killed batch goes on, and its retries never give up on a fatal input.
Checked with ray 2.60.
"""

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from service.batch.errors import BatchError, not_written
from service.batch.pool import Died, Done, Event
from service.batch.shard import Job, ShardPredictor, Task
from service.inference.errors import LecternError

_CONNECT_TIMEOUT_S = 10
_STARTS = 3  # actors in a row that end while they load the model, before the batch stops


@dataclass
class _Worker:
    actor: Any
    pending: Any  # Ray's reference to what the actor does now: its start, or a task
    task: Task | None = None
    is_ready: bool = False


class _Actor:
    """Predicts shards on a node of the cluster, which reaches the folders under the same paths."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._predictor: ShardPredictor | None = None

    def start(self) -> LecternError | None:
        """Load the model; return the error if it cannot be used."""
        try:
            os.chdir(self._job.working_folder)
            self._predictor = ShardPredictor(self._job)
        except LecternError as error:
            return error
        except OSError as error:
            return BatchError(
                f"{error.filename}: a node of the cluster cannot use it ({error.strerror}); all nodes need "
                "the folders of the models, the sources and the results under the same paths"
            )
        return None

    def run(self, task: Task) -> int | LecternError:
        """Run a task; return the number of inputs without a prediction, or why it failed."""
        assert self._predictor is not None
        try:
            return self._predictor.run(task)
        except LecternError as error:
            return error
        except OSError as error:
            return not_written(error, self._job.folder)


class RayPool:
    """Actors of a Ray cluster, each with a copy of the model and one core."""

    def __init__(self, job: Job, *, workers: int, address: str | None) -> None:
        """Connect to a cluster.

        Args:
            job: What every worker needs.
            workers: Number of actors. Those for which the cluster has no free core wait for one.
            address: Address of the cluster, or ``auto``; a cluster on this machine is started if None.

        Raises:
            BatchError: The cluster cannot be reached.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # The size of a cluster is that of its nodes; only one that is started here can be given.
        options: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
        try:
            if address and address != "auto" and "://" not in address:
                _check_address(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
        except (OSError, RuntimeError, ValueError) as error:
            raise BatchError(
                f"the Ray cluster at {address or 'this machine'} cannot be used ({error})"
            ) from error
        self._job = job
        self._failed_starts = 0
        self._make: Callable[[Job], Any] = ray.remote(num_cpus=1, max_restarts=0)(_Actor).remote
        self._workers = [self._start_worker() for _ in range(workers)]

    @property
    def has_room(self) -> bool:
        """Whether an actor that has loaded the model has no task."""
        return any(worker.is_ready and worker.task is None for worker in self._workers)

    def start(self, task: Task) -> None:
        """Give a task to an actor that has none."""
        worker = next(worker for worker in self._workers if worker.is_ready and worker.task is None)
        worker.task = task
        worker.pending = worker.actor.run.remote(task)

    def wait(self) -> list[Event]:
        """Wait until something has happened to an actor.

        Raises:
            LecternError: No actor can load the model, or results cannot be written.
        """
        busy = {worker.pending: worker for worker in self._workers if worker.pending is not None}
        ready, _ = ray.wait(list(busy), num_returns=1)
        return [event for reference in ready if (event := self._receive(busy[reference]))]

    def close(self) -> None:
        """End all actors, and a cluster that was started for them."""
        for worker in self._workers:
            with suppress(Exception):  # an actor or a cluster that is gone already
                ray.kill(worker.actor)
        ray.shutdown()

    def _receive(self, worker: _Worker) -> Event | None:
        try:
            result = ray.get(worker.pending)
        except RayTaskError as error:
            raise BatchError(f"a worker failed: {error.cause!r}") from error
        except RayActorError as error:
            return self._replace(worker, type(error).__name__)
        if isinstance(result, LecternError):
            raise result
        task, worker.task, worker.pending = worker.task, None, None
        if task is None:
            worker.is_ready, self._failed_starts = True, 0
            return None
        return Done(task, result)

    def _replace(self, worker: _Worker, cause: str) -> Event | None:
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise BatchError(
                    f"{_STARTS} actors ended while they loaded the model ({cause}); try fewer --workers"
                )
        self._workers[self._workers.index(worker)] = self._start_worker()
        return Died(worker.task, cause) if worker.task else None

    def _start_worker(self) -> _Worker:
        actor = self._make(self._job)
        return _Worker(actor, actor.start.remote())


def _check_address(address: str) -> None:
    """Raise OSError if nothing listens at ``host:port``; Ray would try again for minutes."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_TIMEOUT_S).close()
