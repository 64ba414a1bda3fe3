"""Digits drawn anew stay the digits they were, of the pen that was asked for."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes

from service.inference import Catalog
from training import redraw as module
from training.datasets.dataset import Examples
from training.redraw import Hand, draw_line, redraw

MODELS = Path(__file__).parents[2] / "models"


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


def _stem() -> np.ndarray:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 13:15] = 255
    return picture


def _ring() -> np.ndarray:
    rows, columns = np.mgrid[0:28, 0:28] - 13.5
    return np.where(np.abs(np.hypot(rows, columns) - 8) < 1.2, 255, 0).astype(np.uint8)


def _encloses(picture: np.ndarray) -> bool:
    """Whether there is background that ink cuts off from the picture's edge."""
    ink = picture > 60
    return bool((binary_fill_holes(ink) & ~ink).any())


def test_the_lectures_network_reads_what_was_drawn_anew(mnist_sample: Examples) -> None:
    chosen = mnist_sample.take(slice(0, 150))
    drawn = np.stack(
        [
            draw_line(picture, label=label, hand=Hand(pen=0.12), rng=_rng())
            for picture, label in zip(chosen.x, chosen.y.tolist(), strict=True)
        ]
    )

    predictor = Catalog(MODELS).predictor("mnist", 1)

    assert (predictor.probabilities(drawn).argmax(axis=1) == chosen.y).mean() > 0.95


def test_a_wider_pen_leaves_more_ink(mnist_sample: Examples) -> None:
    picture, label = mnist_sample.x[0], int(mnist_sample.y[0])

    thin, bold = (draw_line(picture, label=label, hand=Hand(pen=pen), rng=_rng()) for pen in (0.05, 0.16))

    assert bold.sum() > 1.6 * thin.sum()


@pytest.mark.parametrize(
    ("label", "hand"),
    [
        (1, Hand(pen=0.1, flag=(0.4, 0.7))),
        (7, Hand(pen=0.1, bar=0.5)),
        (7, Hand(pen=0.1, serif=0.2)),
        (9, Hand(pen=0.1, hook=0.4)),
    ],
)
def test_flags_bars_serifs_and_hooks_are_strokes_more_on_their_own_digit_alone(
    mnist_sample: Examples, label: int, hand: Hand
) -> None:
    for wearer, wears in ((label, True), (3, False)):
        picture = mnist_sample.x[np.flatnonzero(mnist_sample.y == wearer)[0]]
        plain = draw_line(picture, label=wearer, hand=Hand(pen=0.1), rng=_rng())
        changed = draw_line(picture, label=wearer, hand=hand, rng=_rng())
        assert (not np.array_equal(plain, changed)) == wears


def test_however_a_one_leans_its_flag_falls_and_is_no_top_of_a_seven() -> None:
    picture = _stem()
    flagged = Hand(pen=0.08, slant=0.25, flag=(0.8, 0.9))
    drawn = draw_line(picture, label=1, hand=flagged, rng=_rng())

    rows = [
        int(np.flatnonzero(drawn[:, column] > 100)[0]) for column in np.flatnonzero(drawn.max(axis=0) > 100)
    ]
    assert rows[0] - min(rows) >= 4, "the flag's end is no lower than the head"


def test_a_slant_moves_the_head_of_a_one_to_the_right() -> None:
    drawn = draw_line(_stem(), label=1, hand=Hand(pen=0.1, slant=0.25), rng=_rng())

    rows = [(drawn[row] * np.arange(28.0)).sum() / drawn[row].sum() for row in (6, 21)]
    assert abs(rows[0] - rows[1]) > 2.5


def test_a_flag_that_is_bent_sags_or_rises_between_its_ends() -> None:
    def heights(bend: float) -> np.ndarray:
        flagged = Hand(pen=0.06, flag=(0.8, 0.7), bend=bend)
        drawn = draw_line(_stem(), label=1, hand=flagged, rng=_rng()).astype(float)
        left = np.flatnonzero((drawn > 60).any(axis=0))[0]
        flag = drawn[:, left + 2 : left + 6]
        return (flag * np.arange(28)[:, None]).sum(axis=0) / flag.sum(axis=0)

    straight, sagging, rising = (heights(bend) for bend in (0.0, 0.25, -0.25))

    assert np.all(sagging > straight)
    assert np.all(rising < straight)


@pytest.mark.parametrize("bend", [0.0, 0.2])
def test_a_one_gets_a_foot_whose_middle_sags_where_it_is_bent(bend: float) -> None:
    drawn = draw_line(_stem(), label=1, hand=Hand(pen=0.06, foot=0.7, bend=bend), rng=_rng()) > 60

    columns = np.flatnonzero(drawn.any(axis=0))
    lowest = [int(np.flatnonzero(drawn[:, column])[-1]) for column in columns]
    assert len(columns) > 12
    assert (lowest[len(lowest) // 2] > lowest[0]) == bool(bend)


def test_a_leaning_one_gets_no_foot_which_would_make_it_a_two() -> None:
    plain, footed = (
        draw_line(_stem(), label=1, hand=Hand(pen=0.1, slant=0.5, foot=foot), rng=_rng()) for foot in (0, 0.6)
    )

    assert np.array_equal(plain, footed)


@pytest.mark.parametrize("stretch", [0.7, 1.4])
def test_a_stretched_digit_is_as_much_wider(stretch: float) -> None:
    drawn = draw_line(_ring(), label=0, hand=Hand(pen=0.05, stretch=stretch), rng=_rng())

    height, width = (np.ptp(np.flatnonzero((drawn > 60).any(axis=axis))) for axis in (1, 0))
    assert width / height == pytest.approx(stretch, rel=0.12)


@pytest.mark.parametrize("pen", [0.05, 0.15])
def test_an_opened_loop_encloses_nothing_and_its_gap_is_at_the_upper_right(pen: float) -> None:
    closed, opened = (
        draw_line(_ring(), label=0, hand=Hand(pen=pen, opened=gap), rng=_rng()) for gap in (0, 0.15)
    )

    assert _encloses(closed)
    assert not _encloses(opened)
    rows, columns = (np.flatnonzero((opened > 60).any(axis=axis)) for axis in (1, 0))
    halves = np.array_split(opened[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float), 2)
    quarters = [quarter.sum() for half in halves for quarter in np.array_split(half, 2, axis=1)]
    assert np.argmin(quarters) == 1


def test_a_loop_too_small_for_its_gap_stays_closed() -> None:
    picture = _stem()
    picture[4:11, 10:18] = 255
    picture[7:8, 13:15] = 0
    opened = Hand(pen=0.1, opened=0.2)

    drawn = draw_line(picture, label=9, hand=opened, rng=_rng())

    assert np.array_equal(drawn, draw_line(picture, label=9, hand=Hand(pen=0.1), rng=_rng()))


@pytest.mark.parametrize(("label", "narrowest"), [(0, 0.7), (1, 1.0), (7, 1.0)])
def test_hands_narrow_no_seven_to_a_one_with_a_flag(label: int, narrowest: float) -> None:
    rng = _rng()
    hands = [module._draw_hand(label, rng) for _ in range(300)]

    assert min(hand.stretch for hand in hands) == pytest.approx(narrowest, abs=0.01)
    assert any(hand.opened for hand in hands) == (label == 0)


def test_drawing_is_done_once_and_kept(
    cache: Path, mnist_sample: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = mnist_sample.take(slice(0, 12))

    first = redraw(few)
    monkeypatch.setattr(module, "ProcessPoolExecutor", None)  # would be needed to draw again
    second = redraw(few)

    assert first.shape == (4, 12, 28, 28)
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert [path.suffix for path in cache.iterdir()] == [".npy"]


def test_a_picture_without_a_line_stays_as_it_was(cache: Path) -> None:
    blank = Examples(np.zeros((2, 28, 28), dtype=np.uint8), np.array([1, 7]))

    assert not redraw(blank).any()
