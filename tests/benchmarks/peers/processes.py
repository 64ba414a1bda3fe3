"""Starts, pauses and stops the servers, and reads their processor time and memory."""

import contextlib
import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from peers.errors import PeerError
from peers.protocols import Payload
from peers.systems import ROOT, Request, System

_START_TIMEOUT_S = 90
_STOP_TIMEOUT_S = 15
_POLL_S = 0.02
# Triton uses two ports after the one for HTTP.
_PORTS = 3
_SERVERS = Path(__file__).parent / "servers"


@dataclass(frozen=True)
class RunningSystem:
    """A server that is ready.

    Attributes:
        system: The system.
        port: On 127.0.0.1.
        process: The process that was started; its descendants belong to it.
        ready_s: Seconds from the start of the process until it is ready.
        log: File with its output.
    """

    system: System
    port: int
    process: psutil.Process
    ready_s: float
    log: Path

    def url(self, request: Request) -> str:
        """Return the URL of a request."""
        return f"http://127.0.0.1:{self.port}{request.path}"

    def check(self, request: Request) -> None:
        """Send a request once.

        Raises:
            PeerError: The response is wrong.
        """
        try:
            status, body = send(self.port, request.path, request.payload)
        except (OSError, http.client.HTTPException) as error:
            raise PeerError(f"{self.system.name} gives no response ({error!r}); see {self.log}") from error
        if status != 200 or not request.payload.is_correct(body):
            response = f"{status} {body[:200]!r}; see {self.log}"
            raise PeerError(f"{self.system.name} responds to {request.protocol} with {response}")

    def pause(self) -> None:
        """Stop all its processes, so that their polling does not disturb other measurements."""
        if self.system.can_pause:
            _signal(self.processes(), signal.SIGSTOP)

    def resume(self) -> None:
        """Continue its processes."""
        _signal(self.processes(), signal.SIGCONT)

    def processes(self) -> list[psutil.Process]:
        """Return its process and all descendants."""
        return family(self.process)

    def cpu_s(self) -> float:
        """Return the processor time of its processes so far, in seconds."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def worker_memory_mb(self) -> list[float]:
        """Return the proportional set size of each of Lectern's workers, in MB (10^6 bytes)."""
        sizes = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "--slot" in process.cmdline():
                    sizes.append(process.memory_full_info().pss / 1e6)
        return sizes


@contextmanager
def running(
    system: System, python: Path, folder: Path, *, port: int | None = None
) -> Iterator[RunningSystem]:
    """Start a system, and stop it at the end of the block.

    Args:
        system: The system.
        python: Interpreter of the system.
        folder: For its log and its own files.
        port: On 127.0.0.1; a free one if None.

    Raises:
        PeerError: It does not become ready.
    """
    port, log = port or free_port(), folder / f"{system.name}.log"
    started = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            system.command(python, port),
            cwd=_SERVERS if system.environment else ROOT,
            env=system.environ(port) | {"BENTOML_HOME": str(folder / "bentoml")},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(system, port, process, log)
        ready_s = time.monotonic() - started
        _wait_until_logged(system, process, log)
        yield RunningSystem(system, port, psutil.Process(process.pid), ready_s, log)
    finally:
        _stop(process)


def send(port: int, path: str, payload: Payload) -> tuple[int, bytes]:
    """Send one request; return status and body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        method = "POST" if payload.body else "GET"
        connection.request(method, path, payload.body or None, dict(payload.headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that is free, as are the ports after it."""
    while True:
        with contextlib.ExitStack() as stack:
            try:
                first = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
                for offset in range(1, _PORTS):
                    stack.enter_context(socket.create_server(("127.0.0.1", first + offset)))
            except (OSError, OverflowError):
                continue
            return int(first)


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and its descendants; none if it has ended."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _wait_until_ready(system: System, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    last = ""
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, _ = send(port, system.ready_path, Payload(b"", (), 0, bool))
            if status == 200:
                return
            last = f" Its last response was {status}."
        time.sleep(_POLL_S)
    raise PeerError(f"{system.name} did not start; see {log}.{last}")


def _wait_until_logged(system: System, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the other workers, which may start after the first one is ready."""
    end = time.monotonic() + _START_TIMEOUT_S
    while system.ready_line not in log.read_text("utf-8", errors="replace"):
        if time.monotonic() > end or process.poll() is not None:
            raise PeerError(f"{system.name} did not start all workers; see {log}.")
        time.sleep(_POLL_S)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a process, and kill its descendants that remain."""
    processes = family(psutil.Process(process.pid)) if process.poll() is None else []
    _signal(processes, signal.SIGCONT)
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        processes += family(psutil.Process(process.pid))
        process.kill()
        process.wait()
    _signal([one for one in processes if one.pid != process.pid], signal.SIGKILL)
