"""Owns the README's table and chart of speed, and the committed figures that they are made of."""

import re
from pathlib import Path

from peers.chart import svg
from peers.faults import BenchError
from peers.figures import Figures, read_figures
from peers.report import markdown
from peers.systems import ROOT

FIGURES = Path(__file__).parent / "figures.json"
CHART = Path(__file__).parent / "chart.svg"
_README = ROOT / "README.md"
_PLACE = re.compile(r"(<!-- speed -->\n).*?(<!-- /speed -->)", re.DOTALL)


def write(figures: Figures) -> None:
    """Keep the figures, draw the chart, and put the table into the README.

    Raises:
        BenchError: The README has no place for it.
    """
    text = _README.read_text(encoding="utf-8")
    if not _PLACE.search(text):
        raise BenchError(f"{_README}: has no lines <!-- speed --> and <!-- /speed --> to write between")
    FIGURES.write_text(figures.to_json(), encoding="utf-8")
    CHART.write_text(svg(figures), encoding="utf-8")
    _README.write_text(
        _PLACE.sub(lambda match: f"{match[1]}{section()}\n{match[2]}", text, count=1), encoding="utf-8"
    )


def section() -> str:
    """Return what the README must say, from the committed figures; nothing where there are none yet."""
    if not FIGURES.exists():
        return ""
    link = CHART.relative_to(ROOT).as_posix()
    return f"{markdown(read_figures(FIGURES))}\n\n![Requests a second of each system]({link})"
