"""Owns the forms of digits that MNIST's writers seldom used, as pen strokes.

Schools teach digits differently (https://en.wikipedia.org/wiki/Regional_handwriting_variation): fours whose
stem crosses a bar below their middle, nines with a wide hook, barred sevens, ones with a flag. MNIST shows
few of them, and what it does not show cannot be traced from it. So each digit also has some forms here: the
places that its strokes go through, which move a little each time.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Stroke = npt.NDArray[np.float64]
Place = tuple[float, float]  # right and down
_UNSTEADY = 0.05  # standard deviation of each place, as a share of the height
_WIDTH = (0.55, 1.25)  # factor on the width
_NARROWEST_SEVEN = 0.8  # narrower, it would be a one with a flag
_FINE = 12  # points between two places of a curve


@dataclass(frozen=True)
class Line:
    """A stroke of straight pieces through places, in shares of the digit's height."""

    places: tuple[Place, ...]


@dataclass(frozen=True)
class Curve:
    """A smooth stroke through places, in shares of the digit's height."""

    places: tuple[Place, ...]


Form = tuple[Line | Curve, ...]
_BELLY = ((0.5, 0.38), (0.8, 0.65), (0.5, 1.0), (0.08, 0.9))  # of a five, after its neck
_HEAD = ((0.62, 0.1), (0.35, 0.0), (0.08, 0.22), (0.3, 0.45), (0.6, 0.25))  # of a nine
FORMS: dict[int, tuple[Form, ...]] = {
    0: (
        (Curve(((0.45, 0.0), (0.1, 0.3), (0.12, 0.75), (0.4, 1.0), (0.7, 0.65), (0.62, 0.2), (0.35, 0.02))),),
        (Curve(((0.55, 0.03), (0.15, 0.15), (0.05, 0.65), (0.4, 1.0), (0.75, 0.6), (0.6, 0.1), (0.3, 0.0))),),
    ),
    1: (
        (Line(((0.1, 0.3), (0.45, 0.0), (0.45, 1.0))),),
        (Line(((0.2, 0.16), (0.45, 0.0), (0.45, 1.0))),),
        (Line(((0.0, 0.5), (0.45, 0.0), (0.42, 1.0))),),
        (Curve(((0.0, 0.4), (0.25, 0.25), (0.42, 0.02))), Line(((0.42, 0.0), (0.4, 1.0)))),
        (Curve(((0.12, 0.26), (0.35, 0.16), (0.42, 0.02))), Line(((0.42, 0.0), (0.46, 1.0)))),
        (Line(((0.15, 0.25), (0.45, 0.0), (0.45, 1.0))), Line(((0.2, 1.0), (0.7, 1.0)))),
    ),
    2: (
        (
            Curve(((0.08, 0.22), (0.35, 0.0), (0.65, 0.25), (0.4, 0.65), (0.05, 1.0))),
            Line(((0.05, 1.0), (0.7, 0.98))),
        ),
        (
            Curve(((0.1, 0.15), (0.3, 0.0), (0.45, 0.2), (0.35, 0.6), (0.12, 0.98))),
            Line(((0.12, 0.98), (0.65, 0.97))),
        ),
        (
            Curve(((0.2, 0.3), (0.1, 0.12), (0.3, 0.0), (0.45, 0.2), (0.3, 0.7), (0.1, 0.97))),
            Curve(((0.1, 0.97), (0.35, 0.92), (0.6, 1.0))),
        ),
    ),
    3: (
        (Curve(((0.1, 0.1), (0.45, 0.0), (0.6, 0.2), (0.25, 0.45), (0.68, 0.7), (0.4, 1.0), (0.05, 0.9))),),
        (
            Line(((0.1, 0.02), (0.6, 0.0), (0.3, 0.4))),
            Curve(((0.3, 0.4), (0.68, 0.65), (0.4, 1.0), (0.05, 0.9))),
        ),
    ),
    4: (
        (Line(((0.45, 0.0), (0.05, 0.75), (0.65, 0.72))), Line(((0.48, 0.42), (0.42, 1.0)))),
        (Line(((0.4, 0.0), (0.05, 0.72), (0.7, 0.65))), Line(((0.6, 0.2), (0.38, 1.0)))),
        (Line(((0.5, 0.0), (0.0, 0.65), (0.75, 0.65))), Line(((0.5, 0.0), (0.5, 1.0)))),
        (
            Curve(((0.4, 0.0), (0.18, 0.35), (0.04, 0.72), (0.2, 0.82), (0.65, 0.68))),
            Line(((0.5, 0.4), (0.38, 1.0))),
        ),
        (Line(((0.42, 0.0), (0.1, 0.8), (0.62, 0.74))), Line(((0.52, 0.5), (0.44, 1.0)))),
    ),
    5: (
        (Line(((0.65, 0.0), (0.15, 0.02), (0.12, 0.42))), Curve(((0.12, 0.42), *_BELLY))),
        (Line(((0.2, 0.02), (0.12, 0.42))), Curve(((0.12, 0.42), *_BELLY)), Line(((0.22, 0.0), (0.7, 0.0)))),
        (
            Line(((0.65, 0.02), (0.28, 0.06), (0.2, 0.4))),
            Curve(((0.2, 0.4), (0.48, 0.42), (0.52, 0.7), (0.25, 1.0))),
        ),
        (Curve(((0.7, 0.0), (0.35, 0.08), (0.25, 0.38), (0.5, 0.55), (0.5, 0.85), (0.2, 1.0))),),
    ),
    6: (
        (
            Curve(
                ((0.5, 0.0), (0.15, 0.4), (0.05, 0.75), (0.35, 1.0), (0.65, 0.75), (0.35, 0.52), (0.08, 0.75))
            ),
        ),
        (
            Curve(
                ((0.35, 0.0), (0.08, 0.45), (0.15, 0.9), (0.45, 0.98), (0.6, 0.75), (0.35, 0.6), (0.1, 0.8))
            ),
        ),
        (
            Curve(
                ((0.55, 0.02), (0.2, 0.3), (0.06, 0.7), (0.25, 1.0), (0.5, 0.82), (0.35, 0.66), (0.08, 0.8))
            ),
        ),
    ),
    7: (
        (Line(((0.02, 0.02), (0.6, 0.0), (0.3, 1.0))), Line(((0.12, 0.5), (0.65, 0.48)))),
        (Line(((0.0, 0.2), (0.04, 0.02), (0.6, 0.02), (0.25, 1.0))), Line(((0.1, 0.52), (0.65, 0.48)))),
        (
            Curve(((0.02, 0.2), (0.12, 0.02), (0.35, 0.1), (0.6, 0.0))),
            Curve(((0.6, 0.0), (0.42, 0.45), (0.3, 1.0))),
            Line(((0.08, 0.58), (0.75, 0.52))),
        ),
        (
            Curve(((0.0, 0.12), (0.2, 0.0), (0.4, 0.06), (0.6, 0.0))),
            Curve(((0.6, 0.0), (0.4, 0.45), (0.3, 1.0))),
        ),
        (Line(((0.02, 0.04), (0.6, 0.0), (0.35, 1.0))),),
        (Curve(((0.0, 0.08), (0.3, 0.02), (0.62, 0.0), (0.4, 0.4), (0.22, 1.0))),),
        (Line(((0.0, 0.0), (0.65, 0.02), (0.15, 1.0))),),
        (Line(((0.05, 0.08), (0.5, 0.0), (0.4, 0.5), (0.22, 1.0))), Line(((0.05, 0.6), (0.8, 0.52)))),
    ),
    8: (
        (
            Curve(
                ((0.6, 0.1), (0.35, 0.0), (0.1, 0.2), (0.35, 0.48), (0.65, 0.75), (0.35, 1.0), (0.05, 0.75))
            ),
            Curve(((0.05, 0.75), (0.35, 0.48), (0.62, 0.08))),
        ),
        (
            Curve(((0.35, 0.0), (0.12, 0.2), (0.35, 0.44), (0.58, 0.2), (0.35, 0.0))),
            Curve(((0.35, 0.46), (0.05, 0.75), (0.35, 1.0), (0.65, 0.75), (0.35, 0.46))),
        ),
    ),
    9: (
        (Curve((*_HEAD, (0.62, 0.5), (0.6, 1.0))),),
        (Curve((*_HEAD, (0.65, 0.5), (0.66, 0.8), (0.4, 1.0), (0.02, 0.93))),),
        (Curve((*_HEAD, (0.62, 0.12))), Curve(((0.62, 0.12), (0.62, 0.6), (0.4, 0.97), (0.0, 0.95)))),
        (Curve((*_HEAD, (0.58, 0.42), (0.72, 0.7), (0.45, 1.0), (0.05, 0.95))),),
        (
            Curve(((0.6, 0.08), (0.4, 0.0), (0.22, 0.2), (0.4, 0.42), (0.6, 0.15))),
            Curve(((0.6, 0.15), (0.58, 0.5), (0.66, 0.82), (0.4, 0.98), (0.02, 0.97))),
        ),
    ),
}


def draw_form(label: int, rng: np.random.Generator) -> list[Stroke]:
    """Draw one of a digit's forms with an unsteady hand.

    Args:
        label: The digit.
        rng: Of the form, its width, and how far each place moves.

    Returns:
        One float64 (points, 2) array a stroke, right and down, in shares of the digit's height.
    """
    form = FORMS[label][rng.integers(len(FORMS[label]))]
    width = max(rng.uniform(*_WIDTH), _NARROWEST_SEVEN if label == 7 else 0.0)
    # Where one stroke ends and the next begins, both move together.
    places = dict.fromkeys(place for stroke in form for place in stroke.places)
    moved = {place: (np.array(place) + rng.normal(0, _UNSTEADY, 2)) * (width, 1.0) for place in places}
    strokes = [np.stack([moved[place] for place in stroke.places]) for stroke in form]
    return [
        smooth(places) if isinstance(stroke, Curve) else places
        for stroke, places in zip(form, strokes, strict=True)
    ]


def smooth(places: Stroke) -> Stroke:
    """Return points of a smooth curve through places.

    The spline of Catmull and Rom, whose knots lie the square root of the places' distance apart, so that it
    makes no loops of its own (Yuksel, Schaefer and Keyser 2011).

    Args:
        places: float64 (n, 2), right and down, at least two.
    """
    from scipy.interpolate import CubicHermiteSpline

    ends = 2 * places[0] - places[1], 2 * places[-1] - places[-2]
    spots = np.concatenate([ends[:1], places, ends[1:]])
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(spots, axis=0), axis=1) + 1e-6))])
    slopes = np.diff(spots, axis=0) / np.diff(knots)[:, None]
    across = (spots[2:] - spots[:-2]) / (knots[2:] - knots[:-2])[:, None]
    curve = CubicHermiteSpline(knots[1:-1], places, slopes[:-1] - across + slopes[1:])
    at = [np.linspace(start, end, _FINE, endpoint=False) for start, end in itertools.pairwise(knots[1:-1])]
    points: Stroke = curve(np.concatenate([*at, knots[-2:-1]]))
    return points
