"""Digits drawn anew stay the digits they were, of the pen that was asked for."""

from pathlib import Path

import numpy as np
import pytest

from service.inference import Catalog
from training.augmentation import strokes as module
from training.augmentation.strokes import Hand, draw_line, redraw
from training.datasets.dataset import Examples
from training.fit.batches import Batches
from training.hyperparameters import Augmentation, Hyperparameters

MODELS = Path(__file__).parents[3] / "models"


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


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
        (1, Hand(pen=0.1, foot=0.6)),
        (7, Hand(pen=0.1, bar=0.5)),
        (9, Hand(pen=0.1, hook=0.4)),
    ],
)
def test_flags_feet_bars_and_hooks_are_strokes_more_on_their_own_digit_alone(
    mnist_sample: Examples, label: int, hand: Hand
) -> None:
    for wearer, wears in ((label, True), (3, False)):
        picture = mnist_sample.x[np.flatnonzero(mnist_sample.y == wearer)[0]]
        plain = draw_line(picture, label=wearer, hand=Hand(pen=0.1), rng=_rng())
        changed = draw_line(picture, label=wearer, hand=hand, rng=_rng())
        assert (not np.array_equal(plain, changed)) == wears


def test_however_a_one_leans_its_flag_falls_and_is_no_top_of_a_seven() -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 13:15] = 255

    flagged = Hand(pen=0.08, slant=0.25, flag=(0.8, 0.9))
    drawn = draw_line(picture, label=1, hand=flagged, rng=_rng())

    rows = [
        int(np.flatnonzero(drawn[:, column] > 100)[0]) for column in np.flatnonzero(drawn.max(axis=0) > 100)
    ]
    assert rows[0] - min(rows) >= 4, "the flag's end is no lower than the head"


def test_a_slant_moves_the_head_of_a_one_to_the_right(mnist_sample: Examples) -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 13:15] = 255

    drawn = draw_line(picture, label=1, hand=Hand(pen=0.1, slant=0.25), rng=_rng())

    rows = [(drawn[row] * np.arange(28.0)).sum() / drawn[row].sum() for row in (6, 21)]
    assert abs(rows[0] - rows[1]) > 2.5


def test_drawing_is_done_once_and_kept(
    cache: Path, mnist_sample: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = mnist_sample.take(slice(0, 12))

    first = redraw(few)
    monkeypatch.setattr(module, "ProcessPoolExecutor", None)  # would be needed to draw again
    second = redraw(few)

    assert first.shape == (2, 12, 28, 28)
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert [path.suffix for path in cache.iterdir()] == [".npy"]


def test_a_picture_without_a_line_stays_as_it_was(cache: Path) -> None:
    blank = Examples(np.zeros((2, 28, 28), dtype=np.uint8), np.array([1, 7]))

    assert not redraw(blank).any()


def test_forms_are_drawn_for_the_label_whatever_the_picture_shows(cache: Path) -> None:
    blank = Examples(np.zeros((20, 28, 28), dtype=np.uint8), np.arange(20) % 10)
    augmentation = Augmentation(stroke_augmentation=1.0, stroke_templates=1.0)
    hyperparameters = Hyperparameters(epochs=1, batch_size=20, seed=1, augmentation=augmentation)

    ((pictures, labels),) = Batches(blank, hyperparameters).epoch(0)

    answers = Catalog(MODELS).predictor("mnist").probabilities(pictures).argmax(axis=1)
    assert (answers == labels).mean() >= 0.9
    assert not redraw(blank).any(), "what was drawn with forms was taken for what is drawn without"
