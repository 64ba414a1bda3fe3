"""Runs a batch: predicts the shards that are missing, and marks the results as complete."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from service.batch.errors import TooManyErrors
from service.batch.folder import ResultsFolder, Summary
from service.batch.pool import Died, Done, Pool
from service.batch.results import count_errors
from service.batch.schedule import Schedule
from service.batch.shard import Job


@dataclass(frozen=True)
class ErrorLimit:
    """How many inputs may fail.

    Attributes:
        number: Number of inputs, or per cent of all.
        is_share: Whether it is per cent.
    """

    number: float
    is_share: bool = False

    def of(self, count: int) -> int:
        """Return the number of inputs of so many that may fail."""
        return int(count * Fraction(str(self.number)) / 100) if self.is_share else int(self.number)


def run_batch(
    folder: ResultsFolder,
    job: Job,
    make_pool: Callable[[Job], Pool],
    *,
    limit: ErrorLimit,
    advance: Callable[[int], None],
) -> Summary:
    """Predict the shards that are missing.

    Args:
        folder: Folder of the results.
        job: What every worker needs.
        make_pool: Starts the processes.
        limit: How many inputs may fail.
        advance: Called with the number of inputs that were finished.

    Returns:
        How the batch has ended.

    Raises:
        TooManyErrors: More inputs fail than allowed; the results until then are kept.
        LecternError: The model cannot be loaded, results cannot be written, or a source has changed.
    """
    manifest, start = folder.manifest, time.monotonic()
    missing, errors = list[int](), 0
    for shard in range(manifest.shards):
        failed = count_errors(folder.part(shard), rows=manifest.size(shard))
        if failed is None:
            missing.append(shard)
        else:
            errors += failed
            advance(manifest.size(shard))
    _check(folder, errors, limit)
    if missing:
        pool = make_pool(job)
        try:
            for size, unread in _events(Schedule(missing, manifest.size), pool):
                errors += unread
                advance(size)
                _check(folder, errors, limit)
        finally:
            pool.close()
    predicted = sum(map(manifest.size, missing))
    summary = Summary(manifest.count, errors, predicted, time.monotonic() - start)
    folder.finish(summary)
    return summary


def _check(folder: ResultsFolder, errors: int, limit: ErrorLimit) -> None:
    allowed = limit.of(folder.manifest.count)
    if errors > allowed:
        raise TooManyErrors(
            f"{folder.path}: {errors} inputs have failed, and --max-errors allows {allowed}; the column "
            "error of the results says why. --resume with a higher limit goes on"
        )


def _events(schedule: Schedule, pool: Pool) -> Iterator[tuple[int, int]]:
    """Run all tasks; yield the number of inputs and of errors of each shard that is finished."""
    while not schedule.is_finished:
        while pool.has_room and (task := schedule.next()):
            pool.start(task)
        for event in pool.wait():
            match event:
                case Done(task, errors):
                    schedule.done(task)
                    if not task.trial:
                        yield task.stop - task.start, errors
                case Died(task, cause):
                    schedule.died(task, cause)
                case returned:
                    schedule.returned(returned.task)
