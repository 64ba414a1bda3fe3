"""NVIDIA's load generator for Triton, perf_analyzer, measures the server over HTTP and gRPC.

Its binary is in the package tritonclient up to 2.41, which cannot be installed beside the tests' own.
``tests/README.md`` says how to get it.
"""

import csv
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

Server = Any


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_perf_analyzer_measures_the_server_and_reads_its_statistics(
    server: Server, tmp_path: Path, protocol: str
) -> None:
    program = shutil.which("perf_analyzer")
    if program is None:
        pytest.skip("there is no perf_analyzer; tests/README.md says how to get it")
    address = server.grpc_address if protocol == "grpc" else f"127.0.0.1:{server.port}"
    # The load of this machine varies: any stability is enough.
    windows = ["--measurement-mode", "count_windows", "--measurement-request-count", "50", "-s", "999"]
    target = ["-m", "mnist", "-i", protocol, "-u", address, "--concurrency-range", "2"]
    report = tmp_path / "report.csv"
    done = subprocess.run(
        [program, *target, *windows, "-f", str(report)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = csv.DictReader(report.read_text().splitlines())
    assert float(row["Inferences/Second"]) > 1
    # The statistics of the server say where the time goes.
    assert int(row["Server Compute Infer"]) > 0
