"""The timeline of a drawing."""

from desktop.drawing.strokes import Stroke, StrokePoint
from desktop.drawing.timeline import MAX_PAUSE_MS, duration, frame_times, strokes_until

TWO = (
    Stroke((StrokePoint(0, 0, 0.5, 0.0), StrokePoint(5, 5, 0.5, 100.0))),
    Stroke((StrokePoint(9, 9, 0.5, 60_000.0), StrokePoint(9, 1, 0.5, 60_200.0))),
)


def test_long_pauses_are_shortened() -> None:
    assert duration(TWO) == 100 + MAX_PAUSE_MS + 200
    assert duration(()) == 0


def test_strokes_until_a_time_are_those_drawn_by_then() -> None:
    assert strokes_until(TWO, 0) == (Stroke(TWO[0].points[:1]),)
    assert strokes_until(TWO, 100) == TWO[:1]
    assert strokes_until(TWO, 100 + MAX_PAUSE_MS) == (TWO[0], Stroke(TWO[1].points[:1]))
    assert strokes_until(TWO, duration(TWO)) == TWO


def test_frame_times_go_from_the_first_point_to_the_last() -> None:
    points = frame_times(TWO)
    assert (points[0], points[-1]) == (0, duration(TWO))
    assert list(points) == sorted(set(points))
    assert frame_times((Stroke((StrokePoint(1, 1),)),)) == (0.0,)
