"""The benchmark of mechanisms can switch each of them off; its figures mean nothing on a busy machine."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# In a process of its own, which it leaves patched.
_SCRIPT = """
import mechanism_service, mechanisms
from peers.errors import BenchmarkError
with mechanisms._servers(list(mechanism_service.MECHANISMS), 2):
    pass
try:
    with mechanisms._servers(["a mechanism that there is not"], 1):
        raise AssertionError("the workers do not read which mechanism to switch off")
except BenchmarkError:
    pass
for switch_off in mechanism_service.MECHANISMS.values():
    switch_off()
names = ["nothing", "own PNG decoder"]
rates = {(name, case): "1 / 2" for name in names for case in mechanisms._CASES}
print(mechanisms.table(rates, names))
"""


def test_the_server_starts_without_each_mechanism_and_has_a_row_for_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests/benchmarks'}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, _, head, line, *rows = done.stdout.splitlines()
    assert {head.count("|"), line.count("|"), rows[0].count("|")} == {6}
    assert rows[1].startswith("| own PNG decoder | 1 / 2 |")
