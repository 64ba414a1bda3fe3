"""Signals become orders for the supervisor, in the order in which they arrive."""

import signal
from collections.abc import Iterator

import pytest

from service.server.workers.signals import Signals

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Restore the handlers of the process that runs the tests."""
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_each_signal_is_one_order() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signals = Signals()

    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.raise_signal(number)

    assert [signals.take() for _ in range(4)] == ["replace", "drain", "stop", None]


def test_a_signal_to_replace_the_workers_does_not_ask_to_stop() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signals = Signals()
    signal.raise_signal(signal.SIGINT)
    signals.clear()

    signal.raise_signal(signal.SIGHUP)
    assert not signals.asks_to_stop()
    signal.raise_signal(signal.SIGTERM)
    assert signals.asks_to_stop()


def test_nohup_keeps_its_effect() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = Signals()

    signal.raise_signal(signal.SIGHUP)

    assert signals.take() is None
