"""Redrawn digits keep their label and follow the given drawing style."""

from pathlib import Path

import numpy as np
import pytest

from service.inference import Catalog
from training.augmentation import drawing_cache
from training.augmentation.strokes import DrawingStyle, redraw_digits, trace_digit
from training.datasets.dataset import Examples
from training.fit.batches import Batches
from training.hyperparameters import Augmentation, Hyperparameters

MODELS = Path(__file__).parents[3] / "models"


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_lecture_network_reads_traced_digits(mnist_sample: Examples) -> None:
    chosen = mnist_sample.take(slice(0, 150))
    drawn = np.stack(
        [
            trace_digit(picture, label=label, style=DrawingStyle(pen_width=0.12), rng=_rng())
            for picture, label in zip(chosen.x, chosen.y.tolist(), strict=True)
        ]
    )

    predictor = Catalog(MODELS).predictor("mnist", 1)

    assert (predictor.probabilities(drawn).argmax(axis=1) == chosen.y).mean() > 0.95


def test_a_wider_pen_leaves_more_ink(mnist_sample: Examples) -> None:
    picture, label = mnist_sample.x[0], int(mnist_sample.y[0])

    thin, bold = (
        trace_digit(picture, label=label, style=DrawingStyle(pen_width=pen), rng=_rng())
        for pen in (0.05, 0.16)
    )

    assert bold.sum() > 1.6 * thin.sum()


@pytest.mark.parametrize(
    ("label", "style"),
    [
        (1, DrawingStyle(pen_width=0.1, flag=(0.4, 0.7))),
        (1, DrawingStyle(pen_width=0.1, foot=0.6)),
        (7, DrawingStyle(pen_width=0.1, bar=0.5)),
        (9, DrawingStyle(pen_width=0.1, hook=0.4)),
    ],
)
def test_flags_feet_bars_and_hooks_appear_only_on_their_digit(
    mnist_sample: Examples, label: int, style: DrawingStyle
) -> None:
    for other, applies in ((label, True), (3, False)):
        picture = mnist_sample.x[np.flatnonzero(mnist_sample.y == other)[0]]
        plain = trace_digit(picture, label=other, style=DrawingStyle(pen_width=0.1), rng=_rng())
        changed = trace_digit(picture, label=other, style=style, rng=_rng())
        assert (not np.array_equal(plain, changed)) == applies


def test_the_flag_of_a_slanted_one_points_downwards() -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 13:15] = 255

    style = DrawingStyle(pen_width=0.08, slant=0.25, flag=(0.8, 0.9))
    drawn = trace_digit(picture, label=1, style=style, rng=_rng())

    rows = [
        int(np.flatnonzero(drawn[:, column] > 100)[0]) for column in np.flatnonzero(drawn.max(axis=0) > 100)
    ]
    assert rows[0] - min(rows) >= 4, "the end of the flag is not below the head"


def test_a_slant_moves_the_head_of_a_one_to_the_right(mnist_sample: Examples) -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 13:15] = 255

    drawn = trace_digit(picture, label=1, style=DrawingStyle(pen_width=0.1, slant=0.25), rng=_rng())

    rows = [(drawn[row] * np.arange(28.0)).sum() / drawn[row].sum() for row in (6, 21)]
    assert abs(rows[0] - rows[1]) > 2.5


def test_redrawn_digits_are_cached(
    cache: Path, mnist_sample: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = mnist_sample.take(slice(0, 12))

    first = redraw_digits(few)
    monkeypatch.setattr(drawing_cache, "ProcessPoolExecutor", None)  # is needed to draw again
    second = redraw_digits(few)

    assert first.shape == (2, 12, 28, 28)
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert [path.suffix for path in cache.iterdir()] == [".npy"]


@pytest.mark.parametrize(("epochs", "variants"), [(1, 1), (2, 1), (3, 2), (20, 2)])
def test_a_short_run_redraws_each_digit_as_often_as_it_uses_it(
    cache: Path, mnist_sample: Examples, epochs: int, variants: int
) -> None:
    few = mnist_sample.take(slice(10))
    hyperparameters = Hyperparameters(
        epochs=epochs, batch_size=5, augmentation=Augmentation(stroke_augmentation=0.4)
    )

    assert len(list(Batches(few, hyperparameters).epoch(1))) == 2

    (path,) = cache.iterdir()
    assert np.load(path).shape == (variants * 10, 28, 28)


def test_a_blank_picture_is_unchanged(cache: Path) -> None:
    blank = Examples(np.zeros((2, 28, 28), dtype=np.uint8), np.array([1, 7]))

    assert not redraw_digits(blank).any()


def test_templates_are_chosen_by_the_label_and_not_by_the_picture(cache: Path) -> None:
    blank = Examples(np.zeros((20, 28, 28), dtype=np.uint8), np.arange(20) % 10)
    augmentation = Augmentation(stroke_augmentation=1.0, stroke_templates=1.0)
    hyperparameters = Hyperparameters(epochs=1, batch_size=20, seed=1, augmentation=augmentation)

    ((pictures, labels),) = Batches(blank, hyperparameters).epoch(0)

    answers = Catalog(MODELS).predictor("mnist").probabilities(pictures).argmax(axis=1)
    assert (answers == labels).mean() >= 0.9
    assert not redraw_digits(blank).any(), "the cache mixed up two shares of templates"
