"""Makes digits from stroke templates, in shapes that are rare in MNIST.

Schools teach digits differently (https://en.wikipedia.org/wiki/Regional_handwriting_variation): fours whose
stem crosses a bar below the middle, nines with a wide hook, sevens with a bar, ones with a flag. MNIST has
few of them, so they cannot be traced from it. A template lists the points that the strokes of such a shape
pass through; each drawing moves them a little.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
_JITTER = 0.05  # standard deviation of a point, as a share of the digit's height
_WIDTH_FACTOR = (0.55, 1.25)
_NARROWEST_SEVEN = 0.8  # a narrower seven looks like a one with a flag
_CURVE_STEPS = 12  # points of a curve between two points of its template


@dataclass(frozen=True)
class TemplateStroke:
    """One stroke of a template.

    Attributes:
        points: (x, y), to the right and downwards, in shares of the digit's height.
        curved: A smooth curve passes through the points; otherwise straight lines connect them.
    """

    points: tuple[tuple[float, float], ...]
    curved: bool


Template = tuple[TemplateStroke, ...]

# A letter begins a stroke, L for straight lines and C for a curve; x,y in hundredths of the digit's height.
_PATHS = {
    0: (
        "C 45,0 10,30 12,75 40,100 70,65 62,20 35,2",
        "C 55,3 15,15 5,65 40,100 75,60 60,10 30,0",
    ),
    1: (
        "L 10,30 45,0 45,100",
        "L 20,16 45,0 45,100",
        "L 0,50 45,0 42,100",
        "C 0,40 25,25 42,2 L 42,0 40,100",
        "C 12,26 35,16 42,2 L 42,0 46,100",
        "L 15,25 45,0 45,100 L 20,100 70,100",
    ),
    2: (
        "C 8,22 35,0 65,25 40,65 5,100 L 5,100 70,98",
        "C 10,15 30,0 45,20 35,60 12,98 L 12,98 65,97",
        "C 20,30 10,12 30,0 45,20 30,70 10,97 C 10,97 35,92 60,100",
    ),
    3: (
        "C 10,10 45,0 60,20 25,45 68,70 40,100 5,90",
        "L 10,2 60,0 30,40 C 30,40 68,65 40,100 5,90",
    ),
    4: (
        "L 45,0 5,75 65,72 L 48,42 42,100",
        "L 40,0 5,72 70,65 L 60,20 38,100",
        "L 50,0 0,65 75,65 L 50,0 50,100",
        "C 40,0 18,35 4,72 20,82 65,68 L 50,40 38,100",
        "L 42,0 10,80 62,74 L 52,50 44,100",
    ),
    5: (
        "L 65,0 15,2 12,42 C 12,42 50,38 80,65 50,100 8,90",
        "L 20,2 12,42 C 12,42 50,38 80,65 50,100 8,90 L 22,0 70,0",
        "L 65,2 28,6 20,40 C 20,40 48,42 52,70 25,100",
        "C 70,0 35,8 25,38 50,55 50,85 20,100",
    ),
    6: (
        "C 50,0 15,40 5,75 35,100 65,75 35,52 8,75",
        "C 35,0 8,45 15,90 45,98 60,75 35,60 10,80",
        "C 55,2 20,30 6,70 25,100 50,82 35,66 8,80",
    ),
    7: (
        "L 2,2 60,0 30,100 L 12,50 65,48",
        "L 0,20 4,2 60,2 25,100 L 10,52 65,48",
        "C 2,20 12,2 35,10 60,0 C 60,0 42,45 30,100 L 8,58 75,52",
        "C 0,12 20,0 40,6 60,0 C 60,0 40,45 30,100",
        "L 2,4 60,0 35,100",
        "C 0,8 30,2 62,0 40,40 22,100",
        "L 0,0 65,2 15,100",
        "L 5,8 50,0 40,50 22,100 L 5,60 80,52",
    ),
    8: (
        "C 60,10 35,0 10,20 35,48 65,75 35,100 5,75 C 5,75 35,48 62,8",
        "C 35,0 12,20 35,44 58,20 35,0 C 35,46 5,75 35,100 65,75 35,46",
    ),
    9: (
        "C 62,10 35,0 8,22 30,45 60,25 62,50 60,100",
        "C 62,10 35,0 8,22 30,45 60,25 65,50 66,80 40,100 2,93",
        "C 62,10 35,0 8,22 30,45 60,25 62,12 C 62,12 62,60 40,97 0,95",
        "C 62,10 35,0 8,22 30,45 60,25 58,42 72,70 45,100 5,95",
        "C 60,8 40,0 22,20 40,42 60,15 C 60,15 58,50 66,82 40,98 2,97",
    ),
}


def _parse(path: str) -> Template:
    strokes: list[TemplateStroke] = []
    for part in path.replace("L", "|L").replace("C", "|C").split("|")[1:]:
        kind, *points = part.split()
        pairs = [point.split(",") for point in points]
        places = tuple((int(x) / 100, int(y) / 100) for x, y in pairs)
        strokes.append(TemplateStroke(places, curved=kind == "C"))
    return tuple(strokes)


TEMPLATES = {label: tuple(map(_parse, paths)) for label, paths in _PATHS.items()}


def sample_template(label: int, rng: np.random.Generator) -> list[Points]:
    """Choose one of a digit's templates and vary it.

    Args:
        label: The digit, 0 to 9.
        rng: Chooses the template, its width, and the displacement of each point.

    Returns:
        One float64 (points, 2) array a stroke, x to the right and y downwards, in shares of the digit's
        height.
    """
    template = TEMPLATES[label][rng.integers(len(TEMPLATES[label]))]
    width = max(rng.uniform(*_WIDTH_FACTOR), _NARROWEST_SEVEN if label == 7 else 0.0)
    # A point that two strokes share moves once, so that they still meet.
    shared = dict.fromkeys(point for stroke in template for point in stroke.points)
    moved = {point: (np.array(point) + rng.normal(0, _JITTER, 2)) * (width, 1.0) for point in shared}
    strokes = [np.stack([moved[point] for point in stroke.points]) for stroke in template]
    return [
        interpolate(points) if stroke.curved else points
        for stroke, points in zip(template, strokes, strict=True)
    ]


def interpolate(points: Points) -> Points:
    """Return a smooth curve through points.

    This is the centripetal Catmull-Rom spline, which makes no loops between points (Yuksel, Schaefer and
    Keyser 2011).

    Args:
        points: float64 (n, 2), at least two.

    Returns:
        float64 (12 * (n - 1) + 1, 2).
    """
    from scipy.interpolate import CubicHermiteSpline

    ends = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    extended = np.concatenate([ends[:1], points, ends[1:]])
    lengths = np.linalg.norm(np.diff(extended, axis=0), axis=1)
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(lengths + 1e-6))])
    slopes = np.diff(extended, axis=0) / np.diff(knots)[:, None]
    chords = (extended[2:] - extended[:-2]) / (knots[2:] - knots[:-2])[:, None]
    spline = CubicHermiteSpline(knots[1:-1], points, slopes[:-1] - chords + slopes[1:])
    parameters = [
        np.linspace(start, end, _CURVE_STEPS, endpoint=False)
        for start, end in itertools.pairwise(knots[1:-1])
    ]
    curve: Points = spline(np.concatenate([*parameters, knots[-2:-1]]))
    return curve
