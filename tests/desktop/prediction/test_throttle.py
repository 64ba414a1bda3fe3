"""The pace of live reading."""

import time

from pytestqt.qtbot import QtBot

from desktop.prediction.throttle import Throttle


def test_the_first_poke_counts_at_once_and_the_last_is_never_lost(qtbot: QtBot) -> None:
    throttle, fired = Throttle(50), []
    throttle.triggered.connect(lambda: fired.append(time.perf_counter()))
    for _ in range(20):
        throttle.trigger()
    assert len(fired) == 1
    qtbot.waitUntil(lambda: len(fired) == 2)
    assert fired[1] - fired[0] > 0.045


def test_flushing_fires_in_place_of_what_waits(qtbot: QtBot) -> None:
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
