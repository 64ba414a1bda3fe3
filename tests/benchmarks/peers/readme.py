"""Writes tables and chart of the committed results into the README of the tests."""

import re
from pathlib import Path

from peers.chart import svg
from peers.errors import BenchmarkError
from peers.report import markdown
from peers.results import Results, read_results
from peers.systems import ROOT

RESULTS = Path(__file__).parent / "results.json"
CHART = Path(__file__).parent / "chart.svg"
README = ROOT / "tests" / "README.md"
_PLACE = re.compile(r"(<!-- speed -->\n).*?(<!-- /speed -->)", re.DOTALL)


def write(results: Results) -> None:
    """Store the results, draw the chart, and update the README.

    Raises:
        BenchmarkError: The README has no place for the tables.
    """
    text = README.read_text(encoding="utf-8")
    if not _PLACE.search(text):
        raise BenchmarkError(f"{README} lacks the lines <!-- speed --> and <!-- /speed -->; add them")
    RESULTS.write_text(results.to_json(), encoding="utf-8")
    CHART.write_text(svg(results), encoding="utf-8")
    text = _PLACE.sub(lambda match: f"{match[1]}{section()}\n{match[2]}", text, count=1)
    README.write_text(text, encoding="utf-8")


def section() -> str:
    """Return the text for the README, from the committed results."""
    link = CHART.relative_to(README.parent).as_posix()
    return f"{markdown(read_results(RESULTS))}\n\n![Requests per second of each system]({link})"
