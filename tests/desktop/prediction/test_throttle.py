"""The throttle of live predictions."""

import time

from pytestqt.qtbot import QtBot

from desktop.prediction.throttle import Throttle


def test_the_first_trigger_fires_at_once_and_the_last_is_not_lost(qtbot: QtBot) -> None:
    throttle, fired = Throttle(50), []
    throttle.triggered.connect(lambda: fired.append(time.perf_counter()))
    for _ in range(20):
        throttle.trigger()
    assert len(fired) == 1
    qtbot.waitUntil(lambda: len(fired) == 2)
    assert fired[1] - fired[0] > 0.045


def test_flush_replaces_a_pending_trigger(qtbot: QtBot) -> None:
    throttle, fired = Throttle(50), []
    throttle.triggered.connect(lambda: fired.append("fired"))
    throttle.trigger()
    throttle.trigger()
    throttle.flush()
    assert fired == ["fired"] * 2
    throttle.trigger()
    throttle.stop()
    other = Throttle(50)
    other.trigger()
    with qtbot.waitSignal(other.triggered):  # A full interval later, the one that was stopped has not fired.
        other.trigger()
    assert fired == ["fired"] * 2
