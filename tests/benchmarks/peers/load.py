"""Owns load at full speed: one run of wrk against one address, and reading what it measured."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from peers.dialects import Post
from peers.faults import BenchError

_SCRIPT = Path(__file__).parent / "post.lua"
_LINE = re.compile(r"^lectern-bench (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured.

    Attributes:
        requests: Answered, whatever the status.
        rate: Requests a second that were answered with 2xx or 3xx.
        failed: Share of requests that were refused or lost, 0 to 1.
        p50_ms: Median time of an answer.
        p99_ms: 99th percentile.
        max_ms: Longest.
        cpu_us: Processor time of the server, all its processes, for one answer; 0 where it was not looked at.
    """

    requests: int
    rate: float
    failed: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: float = 0.0


def find_wrk() -> str:
    """Return where wrk is.

    Raises:
        BenchError: It is not installed.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError("wrk makes the load, and is not here; on Debian or Ubuntu: apt-get install wrk")
    return wrk


def run_wrk(wrk: str, url: str, post: Post, *, connections: int, seconds: float, folder: Path) -> Load:
    """Load one address with as many connections as are given, each asking again at once.

    Args:
        wrk: The program.
        url: To ask.
        post: What to send.
        connections: 1 or more.
        seconds: How long; rounded up to whole ones, which is all that wrk knows.
        folder: For the file of the body.

    Raises:
        BenchError: wrk fails.
    """
    body = "-"
    if post.body:
        path = folder / "body"
        path.write_bytes(post.body)
        body = str(path)
    duration = f"{max(1, round(seconds))}s"
    words = [
        wrk,
        "-t1",
        f"-c{connections}",
        f"-d{duration}",
        "--timeout",
        "10s",
        "-s",
        str(_SCRIPT),
        url,
        "--",
    ]
    words += [body, *(f"{name}:{value}" for name, value in post.headers)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"wrk failed on {url}: {(done.stderr or done.stdout).strip()[-300:]}")
    return parse(done.stdout)


def parse(printed: str) -> Load:
    """Read the line that ``post.lua`` prints at the end.

    Raises:
        BenchError: It is not there.
    """
    line = _LINE.search(printed)
    if line is None:
        raise BenchError(f"wrk printed no figures, but {printed[-300:]!r}")
    answered, microseconds, refused, lost = map(int, line.groups()[:4])
    p50, p99, longest = (float(value) / 1e3 for value in line.groups()[4:])
    asked = answered + lost
    return Load(
        requests=answered,
        rate=(answered - refused) / (microseconds / 1e6) if microseconds else 0.0,
        failed=(refused + lost) / asked if asked else 1.0,
        p50_ms=p50,
        p99_ms=p99,
        max_ms=longest,
    )
