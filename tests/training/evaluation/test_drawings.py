"""Drawings for the evaluation have the promised geometry, and are repeatable."""

import numpy as np
import pytest
from PIL import Image

from service.inference.catalog import BUNDLED, Catalog
from training.evaluation.drawings import COUNTS, evaluate_drawings
from training.evaluation.pictures.letters import draw_test_letters, draw_test_shapes
from training.evaluation.pictures.straight_strokes import draw_straight_strokes


def _ink(picture: Image.Image) -> np.ndarray:
    levels = np.asarray(picture)
    return (levels if levels[0, 0] < 128 else 255 - levels) > 127


@pytest.mark.parametrize("flagged", [False, True])
def test_strokes_are_of_all_lengths_and_brushes_inside_the_pad(flagged: bool) -> None:
    inks = [_ink(picture) for picture in draw_straight_strokes(150, flagged=flagged)]

    heights = np.array([ink.any(axis=1).sum() for ink in inks]) / 280
    areas = np.array([ink.sum() for ink in inks]) / 280**2
    assert heights.min() < 0.3
    assert heights.max() > 0.85
    assert areas.max() > 12 * areas.min()
    assert not any(ink[0].any() or ink[-1].any() or ink[:, 0].any() or ink[:, -1].any() for ink in inks)
    assert len({picture.tobytes() for picture in draw_straight_strokes(20, flagged=flagged)}) == 20


def test_strokes_without_a_flag_are_straight() -> None:
    for ink in map(_ink, draw_straight_strokes(50, flagged=False)):
        rows = np.flatnonzero(ink.any(axis=1))
        # A straight stroke has the same width in all rows but those of its round ends.
        widths = ink[rows].sum(axis=1)
        middle = widths[len(rows) // 2 - len(rows) // 8 : len(rows) // 2 + len(rows) // 8]
        assert np.ptp(middle) <= 2


@pytest.mark.parametrize("draw", [draw_test_letters, draw_test_shapes])
def test_letters_and_shapes_are_drawn_in_both_polarities_and_equal_for_each_call(draw: type) -> None:
    first, second = ([picture.tobytes() for picture in draw(30)] for _ in range(2))

    assert first == second
    assert len(set(first)) == 30
    assert 5 < sum(picture[0] > 127 for picture in first) < 25


def test_figures_are_shares_of_the_drawings() -> None:
    predictor = Catalog(BUNDLED, providers=("cpu",)).predictor("mnist", 1)

    figures = evaluate_drawings(predictor, share=0.02)

    assert figures.counts == {kind: count // 50 for kind, count in COUNTS.items()}
    assert figures.straight_ones_sure <= figures.straight_ones <= 1
    assert figures.flagged_ones_sure <= figures.flagged_ones <= 1
    assert 0 < figures.letters < 1
    assert evaluate_drawings(predictor, share=0.02) == figures


def test_the_default_model_reads_straight_strokes_as_ones_and_doubts_most_letters() -> None:
    figures = evaluate_drawings(Catalog(BUNDLED, providers=("cpu",)).predictor("mnist"), share=0.1)

    # Of all drawings, mnist 2 reads 100 and 93 % as ones, and is unsure of 82 % of the letters.
    assert figures.straight_ones >= 0.98
    assert figures.flagged_ones >= 0.85
    assert figures.letters >= 0.75
