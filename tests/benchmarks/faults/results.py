"""Describes what was promised and what was measured, and stores it as JSON."""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

from peers.errors import BenchmarkError


@dataclass(frozen=True)
class Row:
    """One promise of the server, and what was measured.

    Attributes:
        promise: What the server promises.
        required: The bound, as text.
        measured: The figure as text, or why there is none.
        met: Whether the bound is kept; None if it was not measured.
    """

    promise: str
    required: str
    measured: str
    met: bool | None


@dataclass(frozen=True)
class Results:
    """The rows of one run.

    Attributes:
        machine: Description.
        date: Date of the run, ISO 8601.
        short: Whether the short form was measured.
        scenarios: Rows by the name of their scenario.
    """

    machine: str
    date: str
    short: bool
    scenarios: dict[str, list[Row]]

    @property
    def missed(self) -> int:
        """Number of promises that were not kept."""
        return sum(row.met is False for rows in self.scenarios.values() for row in rows)

    def to_json(self) -> str:
        """Return the results as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"


def read_results(path: Path) -> Results:
    """Read a file with the output of :meth:`Results.to_json`.

    Raises:
        BenchmarkError: The file is not a result.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        scenarios = {name: [Row(**row) for row in rows] for name, rows in document.pop("scenarios").items()}
        return Results(**document, scenarios=scenarios)
    except OSError as error:
        raise BenchmarkError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(f"{path}: is not a result of ./run bench faults ({error!r})") from error


def at_most(
    promise: str, value: float, bound: float, unit: str = "", *, digits: int = 0, note: str = ""
) -> Row:
    """Return the row of a figure with an upper bound.

    Args:
        promise: What the server promises.
        value: The measured figure. Infinity (not reached) and NaN (no figure) miss the bound.
        bound: The largest value that keeps the promise.
        unit: Unit of both.
        digits: After the decimal point.
        note: Added to the figure in brackets.
    """
    suffix = f" {unit}" if unit else ""
    required = "0" if bound == 0 else f"≤ {bound:,g}{suffix}"
    measured = {math.inf: "never"}.get(value, "none" if math.isnan(value) else f"{value:,.{digits}f}{suffix}")
    return Row(promise, required, f"{measured} ({note})" if note else measured, value <= bound)


def not_measured(promise: str, required: str, reason: str) -> Row:
    """Return the row of a promise that was not measured."""
    return Row(promise, required, reason, None)
