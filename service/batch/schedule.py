"""Decides which task is next, and finds inputs that end the process that reads them.

A shard whose process ends is run once more, since the cause may lie elsewhere. If it ends again, both halves
of the shard are tried, and the halves of a half that ends, down to single inputs. Then the shard is run
without the inputs that are found; they become rows with an error.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from service.batch.errors import TooManyErrors
from service.batch.shard import Task

_ATTEMPTS = 2  # of a shard, and of a single input, before it is called faulty
_SEARCHES = 3  # for the inputs at fault in one shard


@dataclass
class _Shard:
    """What is known about a shard whose process has ended."""

    whole: Task
    attempts: int = 0
    searches: int = 0
    trials: int = 0
    single_attempts: dict[int, int] = field(default_factory=dict)
    found: dict[int, str] = field(default_factory=dict)


class Schedule:
    """The tasks of a batch; each is given out once, and again if its process ends."""

    def __init__(self, shards: Iterable[int], size: Callable[[int], int]) -> None:
        """Plan shards.

        Args:
            shards: Numbers of the shards to predict.
            size: Returns the number of inputs of a shard.
        """
        self._waiting = deque(Task(shard, 0, size(shard)) for shard in shards)
        self._running = 0
        self._troubled: dict[int, _Shard] = {}

    @property
    def is_finished(self) -> bool:
        """Whether no task waits or runs."""
        return not self._waiting and not self._running

    def next(self) -> Task | None:
        """Return the next task; None if none waits now."""
        if not self._waiting:
            return None
        self._running += 1
        return self._waiting.popleft()

    def returned(self, task: Task) -> None:
        """Take back a task that was not begun."""
        self._running -= 1
        self._waiting.appendleft(task)

    def done(self, task: Task) -> None:
        """Note that a task is done."""
        self._running -= 1
        if task.trial:
            self._trial_ended(self._troubled[task.shard])
        else:
            self._troubled.pop(task.shard, None)

    def died(self, task: Task, cause: str) -> None:
        """Note that the process of a task has ended, and plan what to do.

        Args:
            task: The task.
            cause: How the process ended, such as ``SIGSEGV``.

        Raises:
            TooManyErrors: The shard ends its process, but no part of it does.
        """
        self._running -= 1
        shard = self._troubled.setdefault(task.shard, _Shard(task))
        if task.trial:
            self._split(shard, task, cause)
            self._trial_ended(shard)
            return
        shard.whole = task
        shard.attempts += 1
        if shard.attempts < _ATTEMPTS:
            self._waiting.appendleft(task)
        elif shard.searches == _SEARCHES:
            raise TooManyErrors(
                f"shard {task.shard} ends its process every time ({cause}), although its parts do not; is "
                "there enough memory? Fewer --workers or a smaller --shard-size need less. --resume goes on"
            )
        else:
            shard.searches += 1
            self._split(shard, replace(task, trial=True), cause)
            self._run_whole_if_tried(shard)

    def _split(self, shard: _Shard, task: Task, cause: str) -> None:
        if task.stop - task.start > 1:
            middle = (task.start + task.stop) // 2
            halves = [replace(task, stop=middle), replace(task, start=middle)]
        else:
            attempts = shard.single_attempts.get(task.start, 0) + 1
            shard.single_attempts[task.start] = attempts
            if attempts >= _ATTEMPTS:
                shard.found[task.start] = f"process_ended: the process that reads it ends ({cause})"
                return
            halves = [task]
        shard.trials += len(halves)
        self._waiting.extendleft(reversed(halves))

    def _trial_ended(self, shard: _Shard) -> None:
        shard.trials -= 1
        self._run_whole_if_tried(shard)

    def _run_whole_if_tried(self, shard: _Shard) -> None:
        if shard.trials:
            return
        found = tuple(sorted(shard.found.items()))
        # If nothing was found, the shard has a single attempt before the next search.
        shard.attempts = 0 if found != shard.whole.faulty else _ATTEMPTS - 1
        self._waiting.appendleft(replace(shard.whole, faulty=found))
