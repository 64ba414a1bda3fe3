"""Divides ink into marks: connected ink, merged where its position shows that it belongs to one digit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.inference.preprocessing.components import find_components
from service.inference.preprocessing.plain import FAINT_SHARE, Ink

Labels = npt.NDArray[np.int32]

# A mark has ink of at least this share of the strongest.
_MIN_STRENGTH = 0.2
# The longer side of a speck is shorter than this share of a digit's height.
_SPECK = 0.2
# Specks up to this share of a digit's height outside the box of a mark are pieces of its strokes.
_NEAR = 0.05
# Marks one above the other are parts of one digit up to this gap, as a share of their height together.
_MAX_STACK_GAP = 0.1
# A part below this share of that height is no digit of its own, such as the loose bar of a 5; its gap can
# be larger.
_BAR_HEIGHT, _MAX_BAR_GAP = 0.35, 0.3
# Parts of one digit are together at most this many times as high as most marks; higher ones are digits of two
# lines. If there are only so many marks, they may be the loops of one 8, which is twice as high as they are.
_MAX_HEIGHT, _MAX_LOOPS = 1.5, 2
# A mark above this share of the height of most digits is one, or a loop of one.
_TALL = 0.6
# A mark below this share of the height of most digits is no digit.
MIN_HEIGHT = 0.35
# Only the largest parts are looked at: the number of specks in a picture is not bounded.
_MAX_PARTS = 512


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; ``right`` and ``bottom`` are outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    def union(self, other: "Box") -> "Box":
        """Return the smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def shared_width(self, other: "Box") -> int:
        """Return the columns that both have; negative for the columns between them."""
        return min(self.right, other.right) - max(self.left, other.left)

    def shared_height(self, other: "Box") -> int:
        """Return the rows that both have; negative for the rows between them."""
        return min(self.bottom, other.bottom) - max(self.top, other.top)


@dataclass(frozen=True, slots=True)
class Mark:
    """Ink that is one digit, a part of one, or several that touch.

    Attributes:
        box: Its bounding box.
        labels: Its connected parts, numbers in the label image.
    """

    box: Box
    labels: tuple[int, ...]

    def union(self, other: "Mark") -> "Mark":
        """Return both as one mark."""
        return Mark(self.box.union(other.box), self.labels + other.labels)


@dataclass(frozen=True)
class MarkedInk:
    """The marks of a picture.

    Attributes:
        ink: float32 (height, width), 0 to 255, as ``find_ink`` returns it.
        labels: int32 (height, width), the number of the connected part of each pixel, 0 for none.
        marks: In no particular order, without specks.
        typical_height: Height of most digits, in pixels.
    """

    ink: Ink
    labels: Labels
    marks: tuple[Mark, ...]
    typical_height: float

    @property
    def count(self) -> int:
        """The marks that are high enough to be digits."""
        return sum(mark.box.height >= MIN_HEIGHT * self.typical_height for mark in self.marks)


def find_marks(ink: Ink) -> MarkedInk:
    """Divide ink into marks.

    Args:
        ink: float32 (height, width), 0 to 255, not all 0.
    """
    labels, parts = _connected_parts(ink)
    heights = np.array([part.box.height for part in parts])
    typical = float(np.median(heights[heights >= heights.max() / 2]))
    is_speck = [max(part.box.width, part.box.height) < _SPECK * typical for part in parts]
    marks = [part for part, small in zip(parts, is_speck, strict=True) if not small]
    specks = [part for part, small in zip(parts, is_speck, strict=True) if small]
    tall = sum(mark.box.height > _TALL * typical for mark in marks)
    marks = _merge(marks, typical, loops=tall <= _MAX_LOOPS)
    return MarkedInk(ink, labels, tuple(_with_specks(marks, specks, typical)), typical)


def _connected_parts(ink: Ink) -> tuple[Labels, list[Mark]]:
    """Return the number of the part of each pixel, and the largest parts that are not faint."""
    strongest = float(ink.max())
    components = find_components(ink > strongest * FAINT_SHARE)
    # Faint parts do not count among the largest ones: there may be any number of them, too.
    strong = components.labels[ink >= strongest * _MIN_STRENGTH]
    is_strong = np.bincount(strong, minlength=len(components.area)) > 0
    largest = np.argsort(-components.area[1:], kind="stable") + 1
    parts = []
    for number in largest[is_strong[largest]][:_MAX_PARTS].tolist():
        left, top = int(components.left[number]), int(components.top[number])
        right, bottom = left + int(components.width[number]), top + int(components.height[number])
        parts.append(Mark(Box(left, top, right, bottom), (number,)))
    return components.labels, parts


def _merge(marks: Iterable[Mark], typical: float, *, loops: bool) -> list[Mark]:
    """Merge marks that are parts of one digit, until no two are.

    Args:
        marks: The marks.
        typical: Height of most digits in pixels, or of most loops.
        loops: Whether marks may be loops of one digit.
    """
    merged: list[Mark] = []
    # A mark that grows can reach others, so that it is compared again with all of them.
    pending = sorted(marks, key=lambda mark: mark.box.left, reverse=True)
    while pending:
        mark = pending.pop()
        partner = next(
            (other for other in merged if _belong_together(mark.box, other.box, typical, loops=loops)), None
        )
        if partner is None:
            merged.append(mark)
        else:
            merged.remove(partner)
            pending.append(mark.union(partner))
    return merged


def _belong_together(a: Box, b: Box, typical: float, *, loops: bool) -> bool:
    if a.shared_width(b) < min(a.width, b.width) / 2:
        return False
    height, rows = a.union(b).height, a.shared_height(b)
    smaller = min(a.height, b.height)
    if rows >= smaller / 2:
        return True
    if height > _MAX_HEIGHT * typical and not (loops and -rows <= _MAX_STACK_GAP / 2 * height):
        return False
    is_bar = smaller < _BAR_HEIGHT * height
    return -rows <= (_MAX_BAR_GAP if is_bar else _MAX_STACK_GAP) * height


def _with_specks(marks: Sequence[Mark], specks: Iterable[Mark], typical: float) -> list[Mark]:
    """Add the specks that are pieces of strokes to their marks; the others are left out."""
    margin = _NEAR * typical
    found = list(marks)
    for speck in specks:
        for number, mark in enumerate(found):
            if mark.box.shared_width(speck.box) > -margin and mark.box.shared_height(speck.box) > -margin:
                found[number] = mark.union(speck)
                break
    return found
