"""Draws the architecture picture of the README from its text source.

Run ``python tests/architecture.py`` after a change of ``service/architecture.txt``.
"""

import re
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "service"
SOURCE, PICTURE = FOLDER / "architecture.txt", FOLDER / "architecture.svg"

_WIDTH, _LEFT, _RIGHT = 850, 176, 70
_BAND, _GAP, _TOP = 46, 34, 12
_CHARACTER = 7.0
_INK, _QUIET, _BAND_COLOUR, _BOX_COLOUR = "#1f2328", "#59636e", "#eef2f8", "#ffffff"


def svg(source: str) -> str:
    """Return the picture of a text source as SVG; ``architecture.txt`` explains the format."""
    lines = [line for line in source.splitlines() if line and not line.startswith("#")]
    tops: dict[str, int] = {}
    parts: list[str] = []
    top = _TOP
    for line in lines:
        if line.startswith("-- "):
            middle = _LEFT + 60
            parts.append(_arrow(middle, top - _GAP, middle, top))
            parts.append(_text(middle + 10, top - _GAP / 2 + 4, line[3:], colour=_QUIET))
        elif line.startswith("~~ "):
            first, last, label = line[3:].split(" ", 2)
            parts.append(_detour(tops[first] + _BAND // 2, tops[last] + _BAND // 2, label))
        else:
            folder, _, row = line.partition(" | ")
            tops[folder] = top
            parts += _band(top, folder, re.split("( [>+] )", row))
            top += _BAND + _GAP
    height = top - _GAP + _TOP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13" role="img">',
            "<title>From data sets to the desktop app</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{_QUIET}"/></marker></defs>',
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _band(top: int, folder: str, parts: list[str]) -> list[str]:
    """Return a folder with its parts, and the separators between them, in a row."""
    drawn = [_box(10, top, _WIDTH - _RIGHT - 10, _BAND, _BAND_COLOUR)]
    drawn.append(_text(24, top + _BAND / 2 + 5, folder, weight="600"))
    left: float = _LEFT
    for part in parts:
        if part == " > ":
            drawn.append(_arrow(left - 18, top + _BAND / 2, left - 2, top + _BAND / 2))
        elif part != " + ":
            width = len(part) * _CHARACTER + 22
            drawn.append(_box(left, top + 9, width, _BAND - 18, _BOX_COLOUR))
            drawn.append(_text(left + width / 2, top + _BAND / 2 + 5, part, anchor="middle"))
            left += width + 20
    return drawn


def _detour(start: int, end: int, label: str) -> str:
    """Return an arrow along the right side, from one folder to another."""
    x, far = _WIDTH - _RIGHT, _WIDTH - _RIGHT + 22
    line = f'<path d="M{x} {start} H{far} V{end} H{x}" fill="none" stroke="{_QUIET}" marker-end="url(#tip)"/>'
    middle = (start + end) // 2
    turned = f'<g transform="rotate(90 {far + 8} {middle})">'
    return f"{line}\n{turned}{_text(far + 8, middle, label, anchor='middle', colour=_QUIET)}</g>"


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{colour}" '
        'stroke="#c5ced9"/>'
    )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{_QUIET}" marker-end="url(#tip)"/>'


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", weight: str = "400", colour: str = _INK
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">'
        f"{escape(words)}</text>"
    )


if __name__ == "__main__":
    PICTURE.write_text(svg(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
