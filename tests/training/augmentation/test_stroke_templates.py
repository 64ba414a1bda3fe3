"""Templates give readable digits, and each drawing varies."""

from pathlib import Path

import numpy as np
import pytest

from service.inference import Catalog
from training.augmentation.stroke_templates import TEMPLATES, interpolate, sample_template
from training.augmentation.strokes import DrawingStyle, draw_template

MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.parametrize("label", [0, 2, 3, 4, 5, 6, 7, 8, 9])
def test_the_lecture_network_reads_the_templates(label: int) -> None:
    # The templates of ones are here because the lecture network takes their flags for the tops of sevens.
    rng = np.random.default_rng(3)

    drawn = np.stack(
        [
            draw_template(sample_template(label, rng), style=DrawingStyle(pen_width=0.12), rng=rng)
            for _ in range(60)
        ]
    )

    predictor = Catalog(MODELS).predictor("mnist", 1)
    assert (predictor.probabilities(drawn).argmax(axis=1) == label).mean() >= 0.9


def test_every_digit_has_templates_of_height_one() -> None:
    assert sorted(TEMPLATES) == list(range(10))
    for template in (template for templates in TEMPLATES.values() for template in templates):
        down = [point[1] for stroke in template for point in stroke.points]
        assert min(down) == pytest.approx(0, abs=0.02)
        assert max(down) == pytest.approx(1, abs=0.05)


def test_two_samples_of_a_template_differ_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEMPLATES, 7, TEMPLATES[7][:1])
    rng = np.random.default_rng(3)

    first, second = sample_template(7, rng), sample_template(7, rng)

    moved = np.abs(np.concatenate(first) - np.concatenate(second))
    assert 0 < moved.max() < 0.4


def test_strokes_that_share_a_point_still_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = (0.12, 0.98)
    chosen = tuple(template for template in TEMPLATES[2] if template[1].points[0] == shared)
    monkeypatch.setitem(TEMPLATES, 2, chosen)

    bow, base = sample_template(2, np.random.default_rng(3))

    assert bow[-1] == pytest.approx(base[0])
    assert tuple(base[0]) != shared


def test_a_curve_passes_through_its_points_without_loops() -> None:
    points = np.array([(0.0, 0.0), (0.5, 0.05), (0.55, 0.6), (0.0, 1.0)])

    curve = interpolate(points)

    for point in points:
        assert np.linalg.norm(curve - point, axis=1).min() < 1e-9
    assert curve.min() > -0.1
    assert curve.max() < 1.1
    assert np.linalg.norm(np.diff(curve, axis=0), axis=1).max() < 0.1
