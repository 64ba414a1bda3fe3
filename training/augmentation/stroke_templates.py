"""Makes digits from stroke templates, in shapes that are rare in MNIST.

Schools teach digits differently (https://en.wikipedia.org/wiki/Regional_handwriting_variation): fours whose
stem crosses a bar below the middle, nines with a wide hook, sevens with a bar, ones with a flag. MNIST has
few of them, so they cannot be traced from it. A template lists the points that the strokes of such a shape
pass through; each drawing moves them a little. The templates are in ``stroke_templates.txt``.
"""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
_JITTER = 0.05  # standard deviation of a point, as a share of the digit's height
_WIDTH_FACTOR = (0.55, 1.25)
_NARROWEST_SEVEN = 0.8  # a narrower seven looks like a one with a flag
_CURVE_STEPS = 12  # points of a curve between two points of its template


@dataclass(frozen=True)
class TemplateStroke:
    """One stroke of a template."""

    points: tuple[tuple[float, float], ...]  # to the right and downwards, in shares of the digit's height
    curved: bool  # a smooth curve passes through the points; otherwise straight lines connect them


Template = tuple[TemplateStroke, ...]


def read_templates(path: Path) -> dict[str, list[Template]]:
    """Read templates by the name that begins their line.

    Args:
        path: A text file with one template a line; lines that begin with ``# `` are comments.
    """
    templates: dict[str, list[Template]] = {}
    for line in path.read_text("utf-8").splitlines():
        name, _, rest = line.partition(" ")
        strokes = []
        for kind, points in re.findall("([LC]) ([^LC]+)", rest if name != "#" else ""):
            pairs = [point.split(",") for point in points.split()]
            places = tuple((int(x) / 100, int(y) / 100) for x, y in pairs)
            strokes.append(TemplateStroke(places, curved=kind == "C"))
        if strokes:
            templates.setdefault(name, []).append(tuple(strokes))
    return templates


TEMPLATES = {int(name): found for name, found in read_templates(Path(__file__).with_suffix(".txt")).items()}


def sample_template(label: int, rng: np.random.Generator) -> list[Points]:
    """Choose one of a digit's templates and vary it.

    Args:
        label: The digit, 0 to 9.
        rng: Chooses the template, its width, and the displacement of each point.

    Returns:
        As :func:`vary_template`.
    """
    template = TEMPLATES[label][rng.integers(len(TEMPLATES[label]))]
    return vary_template(template, rng, narrowest=_NARROWEST_SEVEN if label == 7 else 0.0)


def vary_template(template: Template, rng: np.random.Generator, *, narrowest: float = 0.0) -> list[Points]:
    """Change the width of a template and move its points.

    Args:
        template: The template.
        rng: Chooses the width and the displacement of each point.
        narrowest: Smallest factor on the width.

    Returns:
        One float64 (points, 2) array a stroke, x to the right and y downwards, in shares of the template's
        height.
    """
    width = max(rng.uniform(*_WIDTH_FACTOR), narrowest)
    # A point that two strokes share moves once, so that they still meet.
    shared = dict.fromkeys(point for stroke in template for point in stroke.points)
    moved = {point: (np.array(point) + rng.normal(0, _JITTER, 2)) * (width, 1.0) for point in shared}
    strokes = ((np.stack([moved[point] for point in stroke.points]), stroke.curved) for stroke in template)
    return [interpolate(points) if curved else points for points, curved in strokes]


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
