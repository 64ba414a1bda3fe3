"""Runs a real HAProxy in front of several servers."""

import contextlib
import csv
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from peers.errors import BenchmarkError
from peers.processes import free_port

Mode: TypeAlias = Literal["http", "tcp"]

_STARTS_WITHIN_S = 30.0
_CONFIGURATION = """
global
    stats socket {socket} level admin
defaults
    mode {mode}
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    option httpchk GET /readyz
    default-server check inter 500ms fall 2 rise 1
frontend clients
    bind 127.0.0.1:{port}
    default_backend lectern
backend lectern
{servers}
"""


@dataclass(frozen=True)
class Proxy:
    """A running HAProxy.

    Attributes:
        port: On 127.0.0.1.
        control: Path of the socket for its commands.
    """

    port: int
    control: Path

    def set_state(self, server: int, state: Literal["ready", "drain"]) -> None:
        """Send new connections to a server, by its port, or no more."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(f"set server lectern/lectern-{server} state {state}\n".encode())
            control.recv(1000)

    def is_up(self, server: int) -> bool:
        """Return whether the probe of a server, by its port, succeeds."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(b"show stat\n")
            with control.makefile() as lines:
                return status(lines.read(), server) == "UP"
        return False


@contextmanager
def haproxy(servers: Sequence[int], folder: Path, *, mode: Mode = "http") -> Iterator[Proxy]:
    """Run HAProxy in front of servers on ports of 127.0.0.1, which it probes with ``GET /readyz``.

    Args:
        servers: Ports of the servers.
        folder: For its configuration and its log.
        mode: Whether it forwards requests or whole connections.

    Raises:
        BenchmarkError: It is not installed, or does not start.
    """
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        raise BenchmarkError("HAProxy is not installed; on Debian or Ubuntu: apt-get install haproxy")
    path, log = folder / "haproxy.cfg", folder / "haproxy.log"
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory() as short, log.open("wb") as stream:
        proxy = Proxy(free_port(), Path(short) / "control")
        path.write_text(configuration(proxy, servers, mode), encoding="utf-8")
        process = subprocess.Popen([program, "-db", "-f", str(path)], stdout=stream, stderr=stream)
        try:
            _wait_until_started(process, proxy, log)
            yield proxy
        finally:
            process.terminate()
            process.wait()


def configuration(proxy: Proxy, servers: Sequence[int], mode: Mode = "http") -> str:
    """Return the configuration of HAProxy."""
    lines = "\n".join(f"    server lectern-{port} 127.0.0.1:{port}" for port in servers)
    return _CONFIGURATION.format(socket=proxy.control, mode=mode, port=proxy.port, servers=lines)


def _wait_until_started(process: subprocess.Popen[bytes], proxy: Proxy, log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while not proxy.control.is_socket():
        if process.poll() is not None or time.monotonic() > end:
            raise BenchmarkError(f"HAProxy does not start; see {log}")
        time.sleep(0.02)


def status(table: str, server: int) -> str:
    """Return a server's status in the output of ``show stat``; empty if it is not listed."""
    rows = csv.DictReader(table.removeprefix("# ").splitlines())
    return next((row["status"] for row in rows if row["svname"] == f"lectern-{server}"), "")
