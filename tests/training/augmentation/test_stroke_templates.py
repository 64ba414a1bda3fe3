"""Digits drawn from strokes are the digits that they stand for, and no two are alike."""

from pathlib import Path

import numpy as np
import pytest

from service.inference import Catalog
from training.augmentation.stroke_templates import FORMS, draw_form, smooth
from training.augmentation.strokes import Hand, draw_strokes

MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.parametrize("label", [0, 2, 3, 4, 5, 6, 7, 8, 9])
def test_the_lectures_network_reads_the_forms(label: int) -> None:
    # Not those of ones: that it takes flags for sevens' tops is why they are here.
    rng = np.random.default_rng(3)

    drawn = np.stack([draw_strokes(draw_form(label, rng), hand=Hand(pen=0.12), rng=rng) for _ in range(60)])

    predictor = Catalog(MODELS).predictor("mnist", 1)
    assert (predictor.probabilities(drawn).argmax(axis=1) == label).mean() >= 0.9


def test_every_digit_has_forms_that_are_one_unit_high() -> None:
    assert sorted(FORMS) == list(range(10))
    for form in (form for forms in FORMS.values() for form in forms):
        down = [place[1] for stroke in form for place in stroke.places]
        assert min(down) == pytest.approx(0, abs=0.02)
        assert max(down) == pytest.approx(1, abs=0.05)


def test_the_same_form_is_drawn_a_little_differently_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMS, 7, FORMS[7][:1])
    rng = np.random.default_rng(3)

    first, second = draw_form(7, rng), draw_form(7, rng)

    moved = np.abs(np.concatenate(first) - np.concatenate(second))
    assert 0 < moved.max() < 0.4


def test_strokes_that_meet_still_meet_when_they_have_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    place = (0.12, 0.98)
    monkeypatch.setitem(FORMS, 2, tuple(form for form in FORMS[2] if form[1].places[0] == place))

    bow, base = draw_form(2, np.random.default_rng(3))

    assert bow[-1] == pytest.approx(base[0])
    assert tuple(base[0]) != place


def test_a_curve_goes_through_its_places_and_stays_near_them() -> None:
    places = np.array([(0.0, 0.0), (0.5, 0.05), (0.55, 0.6), (0.0, 1.0)])

    points = smooth(places)

    for place in places:
        assert np.linalg.norm(points - place, axis=1).min() < 1e-9
    assert points.min() > -0.1
    assert points.max() < 1.1
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 0.1
