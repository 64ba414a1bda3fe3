"""The job slot without Qt, and the worker on its thread."""

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.prediction.worker import JobSlot, Worker
from service.inference.errors import BlankImage


def no_results() -> Iterator[object]:
    yield from ()


def test_a_newer_job_replaces_the_pending_one() -> None:
    slot = JobSlot()
    jobs = [lambda number=number: iter([number]) for number in range(3)]
    for job in jobs:
        slot.put(job)
    got = slot.get()
    assert got is not None
    assert got[1] is jobs[2]


def test_cancel_affects_earlier_jobs_only() -> None:
    slot = JobSlot()
    before = slot.put(no_results)
    slot.cancel()
    after = slot.put(no_results)
    assert slot.is_cancelled(before)
    assert not slot.is_cancelled(after)


def test_get_waits_for_a_job_and_ends_on_close() -> None:
    slot = JobSlot()
    got: list[object] = []
    got_one = threading.Event()

    def get_two() -> None:
        got.append(slot.get())
        got_one.set()
        got.append(slot.get())

    thread = threading.Thread(target=get_two)
    thread.start()
    job_id = slot.put(no_results)
    assert got_one.wait(5)
    slot.close()
    thread.join(5)
    assert got == [(job_id, no_results), None]


@pytest.fixture
def worker(qtbot: QtBot) -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.close()


def test_results_are_in_order_and_finished_comes_last(qtbot: QtBot, worker: Worker) -> None:
    results = []
    worker.result_ready.connect(results.append)
    with qtbot.waitSignal(worker.finished):
        worker.put(lambda: iter([1, 2, 3]))
    assert results == [1, 2, 3]


def test_the_worker_continues_after_a_lectern_error(qtbot: QtBot, worker: Worker) -> None:
    def fails() -> Iterator[object]:
        yield 1
        raise BlankImage("no_results there")

    with qtbot.waitSignal(worker.failed) as failed:
        worker.put(fails)
    assert failed.args[0].code == "blank_image"
    with qtbot.waitSignal(worker.finished):
        worker.put(no_results)


def test_the_worker_raises_other_exceptions_and_continues(qtbot: QtBot, worker: Worker) -> None:
    def breaks() -> Iterator[object]:
        yield 1
        raise ZeroDivisionError

    with qtbot.captureExceptions() as caught:
        worker.put(breaks)
        qtbot.waitUntil(lambda: bool(caught))
    assert caught[0][0] is ZeroDivisionError
    with qtbot.waitSignal(worker.finished):
        worker.put(no_results)


def test_cancel_stops_a_long_job_and_drops_its_results(qtbot: QtBot, worker: Worker) -> None:
    cancelled = threading.Event()
    steps: list[int] = []

    def long() -> Iterator[object]:
        for step in range(1000):
            steps.append(step)
            yield step
            assert cancelled.wait(5)

    with qtbot.waitSignal(worker.result_ready):
        worker.put(long)
    late = []
    worker.cancel()
    worker.result_ready.connect(late.append)
    cancelled.set()
    with qtbot.waitSignal(worker.finished):
        worker.put(no_results)
    assert late == []
    assert len(steps) <= 2


def test_each_job_ends_once_whatever_happens(qtbot: QtBot, worker: Worker) -> None:
    def fail(error: Exception) -> object:
        raise error

    for function in (lambda: 7, lambda: fail(BlankImage("blank")), lambda: fail(ZeroDivisionError("bug"))):
        with qtbot.capture_exceptions() as raised, qtbot.waitSignal(worker.ended):
            worker.call(function)
    assert [kind for kind, _, _ in raised] == [ZeroDivisionError]
