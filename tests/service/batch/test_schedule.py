"""Every shard is done once, whatever ends processes; inputs that end them are found in a bounded time."""

import random

import pytest

from service.batch.errors import TooManyErrors
from service.batch.schedule import Schedule
from service.batch.shard import Task

_SIZE = 50


class _Machine:
    """Runs tasks in a random order; some inputs end their process, and some processes end by themselves."""

    def __init__(self, *, shards: int, fatal: set[tuple[int, int]], seed: int, accidents: int = 0) -> None:
        self.schedule = Schedule(range(shards), lambda shard: _SIZE)
        self._fatal = fatal
        self._random = random.Random(seed)
        self._accidents = accidents
        self.written = list[Task]()
        self.deaths = 0

    def run(self) -> None:
        running = list[Task]()
        while not self.schedule.is_finished:
            while len(running) < 3 and (task := self.schedule.next()):
                running.append(task)
            self._end(running.pop(self._random.randrange(len(running))))

    def _end(self, task: Task) -> None:
        fatal = {row for shard, row in self._fatal if shard == task.shard and task.start <= row < task.stop}
        accident = bool(self._accidents) and self._random.random() < 0.2
        self._accidents -= accident
        if fatal - dict(task.faulty).keys() or accident:
            self.deaths += 1
            self.schedule.died(task, "SIGSEGV")
            return
        if not task.trial:
            self.written.append(task)
        self.schedule.done(task)


@pytest.mark.parametrize("seed", range(20))
def test_fatal_inputs_are_found_and_every_shard_is_written_once(seed: int) -> None:
    chance = random.Random(seed)
    fatal = {(chance.randrange(4), chance.randrange(_SIZE)) for _ in range(chance.randrange(6))}
    machine = _Machine(shards=4, fatal=fatal, seed=seed)
    machine.run()
    assert sorted(task.shard for task in machine.written) == [0, 1, 2, 3]
    assert {(task.shard, row) for task in machine.written for row, _ in task.faulty} == fatal
    assert all("SIGSEGV" in error for task in machine.written for _, error in task.faulty)
    # Two deaths of the shard, one for each level of halves, one more for the input.
    assert machine.deaths <= len(fatal) * (2 + 6 + 2)


@pytest.mark.parametrize("seed", range(20))
def test_a_process_that_ends_by_accident_costs_no_input(seed: int) -> None:
    machine = _Machine(shards=12, fatal=set(), seed=seed, accidents=3)
    machine.run()
    assert sorted(task.shard for task in machine.written) == list(range(12))
    assert not any(task.faulty for task in machine.written)


def test_a_shard_of_one_fatal_input_becomes_a_row() -> None:
    schedule = Schedule([7], lambda shard: 1)
    for _ in range(10):
        task = schedule.next()
        assert task
        if task.faulty:
            break
        schedule.died(task, "exit status 1")
    assert task == Task(7, 0, 1, faulty=((0, task.faulty[0][1]),))
    schedule.done(task)
    assert schedule.is_finished


def test_a_shard_that_ends_only_as_a_whole_stops_the_batch() -> None:
    schedule = Schedule([0], lambda shard: _SIZE)

    def run() -> None:
        for _ in range(100):
            task = schedule.next()
            assert task
            if task.trial:
                schedule.done(task)
            else:
                schedule.died(task, "SIGKILL")

    with pytest.raises(TooManyErrors, match=r"shard 0 .*SIGKILL.*--shard-size"):
        run()


def test_a_task_that_was_not_begun_is_given_out_again() -> None:
    schedule = Schedule([0, 1], lambda shard: _SIZE)
    first = schedule.next()
    assert first
    schedule.returned(first)
    assert schedule.next() == first
    assert not schedule.is_finished
