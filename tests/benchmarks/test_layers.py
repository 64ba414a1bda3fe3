"""Tests that the table of layers can be made and that its rows add up."""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SHORT = "import layers; layers._ROUNDS, layers._CALLS = 4, 6; layers.layers([], standalone_mode=False)"


def test_the_rows_add_up_to_the_total() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHORT],
        cwd=_ROOT,
        env={"PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests/benchmarks'}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (.+) \| (-?\d+) \| (-?\d+) \| (-?\d+) \|$", done.stdout, re.MULTILINE)
    assert rows[0][0] == "network"
    for column in (1, 2, 3):
        *parts, total, concurrent = (int(row[column]) for row in rows)
        assert abs(sum(parts) - total) <= len(parts)
        assert concurrent > 0
