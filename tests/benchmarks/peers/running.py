"""Owns running systems: starting, waiting, stopping, letting one at a time have the machine."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peers.dialects import Post
from peers.faults import PeerError
from peers.systems import ROOT, Ask, System

_STARTS_WITHIN_S = 90
_STOPS_WITHIN_S = 15
_POLL_S = 0.02
# Triton takes two ports more than the one it is asked on.
_PORTS = 3
_SERVERS = Path(__file__).parent / "servers"


@dataclass(frozen=True)
class Running:
    """A system that answers.

    Attributes:
        system: Which one.
        port: On 127.0.0.1.
        process: That was started; its descendants belong to it.
        ready_s: Seconds from its start to the first answer that it is ready.
        log: What it has printed.
    """

    system: System
    port: int
    process: subprocess.Popen[bytes]
    ready_s: float
    log: Path

    def url(self, ask: Ask) -> str:
        """Return where an ask goes."""
        return f"http://127.0.0.1:{self.port}{ask.path}"

    def check(self, ask: Ask) -> None:
        """Ask once.

        Raises:
            PeerError: The answer is not the right one.
        """
        try:
            status, answer = exchange(self.port, ask.path, ask.post)
        except (OSError, http.client.HTTPException) as error:
            raise PeerError(f"{self.system.name} does not answer ({error!r}); see {self.log}") from error
        if status != 200 or not ask.post.is_right(answer):
            raise PeerError(
                f"{self.system.name} answers {ask.dialect} with {status} {answer[:200]!r}; see {self.log}"
            )

    def pause(self) -> None:
        """Stop all its processes, so that one that polls or beats takes nothing from another's turn."""
        if self.system.pauses:
            self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let its processes run again."""
        self._signal(signal.SIGCONT)

    def processes(self) -> list[int]:
        """Return the ids of its process and all descendants."""
        return descendants(self.process.pid)

    def cpu_s(self) -> float:
        """Return the processor time in seconds that its processes have taken so far."""
        return sum(map(_cpu_s, self.processes()))

    def _signal(self, number: int) -> None:
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


@contextmanager
def running(system: System, python: Path, folder: Path) -> Iterator[Running]:
    """Start a system, and stop it at the end of the block.

    Args:
        system: Which one.
        python: That runs it.
        folder: For its log, and what it keeps of its own.

    Raises:
        PeerError: It does not become ready.
    """
    port, log = free_port(), folder / f"{system.name}.log"
    variables = system.surroundings(port) | {"BENTOML_HOME": str(folder / "bentoml")}
    started = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            system.command(python, port),
            cwd=_SERVERS if system.environment else ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(system, port, process, log)
        yield Running(system, port, process, time.monotonic() - started, log)
    finally:
        _stop(process)


def exchange(port: int, path: str, post: Post) -> tuple[int, bytes]:
    """Send one request; return the answer's status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST" if post.body else "GET", path, post.body or None, dict(post.headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that is free, as are those right behind it."""
    while True:
        with contextlib.ExitStack() as stack:
            try:
                first = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
                for offset in range(1, _PORTS):
                    stack.enter_context(socket.create_server(("127.0.0.1", first + offset)))
            except (OSError, OverflowError):
                continue
            return int(first)


def descendants(process: int) -> list[int]:
    """Return the ids of a process and of all that descend from it, from Linux's ``/proc``."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The second field is the program's name in brackets, which may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [process]
    for parent in found:
        found.extend(children.get(parent, []))
    return found


def proportional_mb(process: int) -> float:
    """Return a process's proportional set size in MB (10^6 bytes), shared pages shared out."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise PeerError(f"/proc/{process}/smaps_rollup has no line Pss; the kernel is too old for it")


def _cpu_s(process: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _wait_until_ready(system: System, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    last = ""
    while time.monotonic() < end and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", system.ready)
            response = connection.getresponse()
            if response.status == 200:
                return
            last = f" It last answered {response.status}."
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_POLL_S)
    raise PeerError(f"{system.name} did not start; {log} says why.{last}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its descendants, by force those that do not go."""
    family = descendants(process.pid)
    for number in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGCONT)
    process.terminate()
    try:
        process.wait(_STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for number in {*family, *descendants(process.pid)} - {process.pid}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
