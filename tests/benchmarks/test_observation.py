"""Tests that the cost of observing can be measured, and that it is next to nothing where it is off."""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def test_traces_and_the_record_cost_less_than_two_percent_of_a_request_while_they_are_off() -> None:
    done = subprocess.run(
        [sys.executable, str(_ROOT / "tests" / "benchmarks"), "observation"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (.+) \| ([\d.]+) \| ([\d.]+)% \| ([\d.]+)% \|$", done.stdout, re.MULTILINE)
    assert len(rows) == 5
    name, _, *shares = rows[0]
    assert name == "traces and record, both off"
    # It is a thousandth, so that the load of the machine does not matter.
    assert all(float(share) < 2 for share in shares)
