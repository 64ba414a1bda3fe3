"""Writes tables and chart of the committed results into the README of the tests."""

from pathlib import Path

from peers.chart import svg
from peers.report import markdown
from peers.results import Results, read_results
from peers.systems import ROOT
from readme_section import with_section

RESULTS = Path(__file__).parent / "results.json"
CHART = Path(__file__).parent / "chart.svg"
README = ROOT / "tests" / "README.md"


def write(results: Results) -> None:
    """Store the results, draw the chart, and update the README.

    Raises:
        BenchmarkError: The README has no place for the tables.
    """
    page = with_section(README, "speed", _section(results))
    RESULTS.write_text(results.to_json(), encoding="utf-8")
    CHART.write_text(svg(results), encoding="utf-8")
    README.write_text(page, encoding="utf-8")


def section() -> str:
    """Return the text for the README, from the committed results."""
    return _section(read_results(RESULTS))


def _section(results: Results) -> str:
    link = CHART.relative_to(README.parent).as_posix()
    return f"{markdown(results)}\n\n![Requests per second of each system]({link})"
