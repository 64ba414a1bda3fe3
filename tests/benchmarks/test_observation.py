"""Tests that the cost of observing can be measured, and that it is small, or almost nothing if it is off."""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def test_metrics_cost_little_and_traces_and_the_record_next_to_nothing_while_they_are_off() -> None:
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
    shares = {name: [float(share) for share in shares] for name, _, *shares in rows}
    # It is a thousandth, so that the load of the machine does not matter.
    assert max(shares["traces and record, both off"]) < 2
    # Two or three on an idle machine; the methods of prometheus-client take ten.
    assert max(shares["metrics"]) < 6
