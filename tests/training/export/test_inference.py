"""Times of calls are comparable."""

import time

import pytest

from training.export.inference import median_milliseconds


def test_the_times_of_two_calls_have_the_right_ratio() -> None:
    def spin(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    short, long = median_milliseconds([lambda: spin(0.001), lambda: spin(0.004)], seconds=0.2)
    assert 0.9 < short < long
    assert long / short == pytest.approx(4, rel=0.5)
