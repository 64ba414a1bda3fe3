"""Formats the table of promises, and writes it into the README of the tests."""

from pathlib import Path

from faults.results import Results, read_results
from peers.systems import ROOT
from readme_section import with_section

RESULTS = Path(__file__).parent / "results.json"
README = ROOT / "tests" / "README.md"
_MET = {True: "met", False: "missed", None: "–"}


def markdown(results: Results) -> str:
    """Return a description of the run, and a row for each promise."""
    form = "the short form" if results.short else "the long form"
    lines = [
        f"{results.machine}; {results.date}; {form}. The load generator runs on the same cores.",
        "",
        "| scenario | promise | required | measured | |",
        "|---|---|--:|--:|---|",
    ]
    for name, rows in results.scenarios.items():
        lines += [
            f"| {name} | {row.promise} | {row.required} | {row.measured} | {_MET[row.met]} |" for row in rows
        ]
    return "\n".join(lines)


def write(results: Results) -> None:
    """Store the results beside this file, and update the README.

    Raises:
        BenchmarkError: The README has no place for the table.
    """
    page = with_section(README, "faults", markdown(results))
    RESULTS.write_text(results.to_json(), encoding="utf-8")
    README.write_text(page, encoding="utf-8")


def section() -> str:
    """Return the text for the README, from the committed results."""
    return markdown(read_results(RESULTS))
