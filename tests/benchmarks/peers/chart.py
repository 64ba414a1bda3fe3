"""Owns the picture of the rates: one group of bars for each kind of request, as SVG."""

from html import escape

from peers.figures import Figures
from peers.report import rates

_GROUPS = (
    ("png", "One PNG a request"),
    ("oip-json", "Open Inference Protocol, JSON"),
    ("oip-binary", "Open Inference Protocol, binary"),
)
_WIDTH, _LEFT, _RIGHT = 760, 190, 90
_BAR, _GAP, _HEAD = 22, 6, 40
_OURS, _THEIRS, _INK, _QUIET = "#1f6feb", "#b8c0cc", "#1f2328", "#59636e"


def svg(figures: Figures) -> str:
    """Return the chart: requests a second at 16 connections, medians."""
    parts: list[str] = []
    top = 34
    for dialect, title in _GROUPS:
        rows = rates(figures, dialect)
        if not rows:
            continue
        parts.append(_text(12, top + 16, title, weight="600"))
        top += _HEAD - 12
        longest = rows[0][1] or 1.0
        for name, rate in rows:
            parts.append(_bar(top, name, rate, share=rate / longest))
            top += _BAR + _GAP
        top += 16
    title = _text(
        12, 22, "Requests a second, 16 connections, two cores, load generator included", colour=_QUIET
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" '
        f'viewBox="0 0 {_WIDTH} {top}" font-family="system-ui, sans-serif" font-size="13" role="img">\n'
        f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>\n'
        + "\n".join([title, *parts])
        + "\n</svg>\n"
    )


def _bar(top: int, name: str, rate: float, *, share: float) -> str:
    width = max(1.0, share * (_WIDTH - _LEFT - _RIGHT))
    colour = _OURS if name.startswith("Lectern") else _THEIRS
    middle = top + _BAR - 6
    return "\n".join(
        [
            _text(_LEFT - 10, middle, name, anchor="end"),
            f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            _text(_LEFT + width + 8, middle, f"{rate:,.0f}"),
        ]
    )


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", weight: str = "400", colour: str = _INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">'
        f"{escape(words)}</text>"
    )
