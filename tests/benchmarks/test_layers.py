"""The table of layers can be made, and its rows add up; its figures mean nothing on a busy machine."""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FEW = "import layers; layers._ROUNDS, layers._CALLS = 4, 6; layers.layers([], standalone_mode=False)"


def test_the_rows_of_each_request_add_up_to_all_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FEW],
        cwd=_ROOT,
        env={"PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests/benchmarks'}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (.+) \| (-?\d+) \| (-?\d+) \|$", done.stdout, re.MULTILINE)
    assert rows[0][0] == "the network alone"
    for column in (1, 2):
        *parts, whole, together = (int(row[column]) for row in rows)
        assert abs(sum(parts) - whole) <= len(parts)
        assert together > 0
