"""Loads a URL at full speed with wrk, and parses the result."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from peers.errors import BenchmarkError
from peers.protocols import Payload

_SCRIPT = Path(__file__).parent / "wrk.lua"
_LINE = re.compile(r"^lectern-bench (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class LoadResult:
    """The result of one run of wrk.

    Attributes:
        requests: Number of responses, of any status.
        rate: Responses with status 2xx or 3xx, per second.
        failed: Share of requests with another status or without a response, 0 to 1.
        p50_ms: Median latency in ms.
        p99_ms: 99th percentile of the latency in ms.
        max_ms: Longest latency in ms.
        cpu_us: Processor time of all processes of the server for one response, in µs; 0 if not measured.
    """

    requests: int
    rate: float
    failed: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: float = 0.0


def find_wrk() -> str:
    """Return the path of wrk.

    Raises:
        BenchmarkError: It is not installed.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("wrk is not installed; on Debian or Ubuntu: apt-get install wrk")
    return wrk


def run_wrk(
    wrk: str, url: str, payload: Payload, *, connections: int, seconds: float, folder: Path
) -> LoadResult:
    """Load a URL: each connection sends its next request when it has the response.

    Args:
        wrk: Path of the program.
        url: To request.
        payload: To send.
        connections: 1 or more.
        seconds: Duration; wrk takes whole seconds only.
        folder: For the file with the body.

    Raises:
        BenchmarkError: wrk fails.
    """
    body = "-"
    if payload.body:
        path = folder / "body"
        path.write_bytes(payload.body)
        body = str(path)
    options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    arguments = [body, *(f"{name}:{value}" for name, value in payload.headers)]
    command = [wrk, *options, "-s", str(_SCRIPT), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"wrk failed on {url}: {(done.stderr or done.stdout).strip()[-300:]}")
    return parse(done.stdout)


def parse(output: str) -> LoadResult:
    """Parse the line that ``wrk.lua`` prints at the end.

    Raises:
        BenchmarkError: The line is missing.
    """
    line = _LINE.search(output)
    if line is None:
        raise BenchmarkError(f"wrk printed no result, but {output[-300:]!r}")
    responses, microseconds, errors, lost = map(int, line.groups()[:4])
    p50, p99, longest = (float(value) / 1e3 for value in line.groups()[4:])
    requests = responses + lost
    return LoadResult(
        requests=responses,
        rate=(responses - errors) / (microseconds / 1e6) if microseconds else 0.0,
        failed=(errors + lost) / requests if requests else 1.0,
        p50_ms=p50,
        p99_ms=p99,
        max_ms=longest,
    )
