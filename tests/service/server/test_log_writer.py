"""The log: a reader that stalls or goes away neither stops the server nor mixes or reorders lines."""

import errno
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]

_ROOT = Path(__file__).resolve().parents[3]
_SERVE = (sys.executable, "-c", "from service.cli import main; main()", "serve")
_STOPS_WITHIN_S = 10
_MORE_THAN_FIT = 13_000  # lines


class _Reader:
    """The reading end of a named pipe."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.is_open = True
        self._content = bytearray()

    def lines(self) -> list[str]:
        """Read what the pipe has; return all lines until now."""
        while select.select([self._descriptor], [], [], 0.2)[0]:
            data = os.read(self._descriptor, 1 << 20)
            if not data:
                break
            self._content += data
        return self._content.decode().splitlines()

    def close(self) -> None:
        if self.is_open:
            os.close(self._descriptor)
        self.is_open = False


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[_Reader]:
    reader = _Reader(tmp_path / "pipe")
    yield reader
    reader.close()


def _command(reader: _Reader, streams: str) -> tuple[str, ...]:
    """Return the command of a server whose standard output, and perhaps error, is the pipe."""
    also_error = "2>&1" if streams == "12" else ""
    return "sh", "-c", f'exec "$@" >"$0" {also_error}', str(reader.path), *_SERVE


def _send(server: Server, count: int) -> None:
    """Send requests for missing pages, which have numbers; a hundred are under way at once."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for first in range(0, count, 100):
            numbers = range(first, min(first + 100, count))
            heads = (f"GET /missing/{number} HTTP/1.1\r\nHost: test\r\n\r\n" for number in numbers)
            connection.sendall("".join(heads).encode())
            received = b""
            while received.count(b"HTTP/1.1 404") < len(numbers):
                data = connection.recv(1 << 16)
                assert data
                received += data


def _stop(server: Server) -> int:
    server.process.send_signal(signal.SIGTERM)
    status: int = server.process.wait(_STOPS_WITHIN_S)
    return status


@pytest.mark.parametrize(("streams", "log_format"), [("1", "json"), ("12", "text")])
def test_a_stalled_reader_delays_no_request_and_lost_lines_are_counted(
    reader: _Reader, start_server: StartServer, until: Until, streams: str, log_format: str
) -> None:
    with start_server(command=_command(reader, streams), LOG_FORMAT=log_format) as server:
        _send(server, 3_000)
        assert server.ask("GET", "/livez").status == 200
        assert server.metric("lectern_log_lines_lost_total") == 0
        _send(server, _MORE_THAN_FIT)
        assert server.ask("GET", "/livez").status == 200
        lost = server.metric("lectern_log_lines_lost_total")
        assert 0 < lost < 3_000 + _MORE_THAN_FIT

        until(lambda: any("could not be written" in line for line in reader.lines()))
        server.ask("GET", "/afterwards")
        until(lambda: "/afterwards" in reader.lines()[-1])
        assert _stop(server) == 0
    lines = reader.lines()
    numbers = [int(number) for line in lines for number in re.findall(r"/missing/(\d+)", line)]
    assert len(numbers) + lost == 3_000 + _MORE_THAN_FIT
    # Lines are in the order of the requests, and none is missing but the last ones.
    assert numbers == [*range(3_000), *range(len(numbers) - 3_000)]
    (gap,) = (number for number, line in enumerate(lines) if "could not be written" in line)
    assert f"/missing/{numbers[-1]}" in lines[gap - 1]
    assert f"{lost:.0f} lines" in lines[gap]
    if log_format == "json":
        rows = [json.loads(line) for line in lines]
        assert all({"time", "level", "logger"} <= set(row) for row in rows)
        assert rows[gap]["level"] == "WARNING"


@pytest.mark.parametrize("streams", ["1", "12"])
def test_sigterm_ends_a_server_whose_log_has_no_reader_in_time(
    reader: _Reader, start_server: StartServer, streams: str
) -> None:
    with start_server(command=_command(reader, streams), WORKERS="2") as server:
        _send(server, 3_000)
        begun = time.monotonic()
        assert _stop(server) == 0
        assert time.monotonic() - begun < 5
        assert len(reader.lines()) > 100


@pytest.mark.parametrize("streams", ["1", "12"])
def test_a_reader_that_goes_away_does_not_end_the_server(
    reader: _Reader, start_server: StartServer, streams: str
) -> None:
    with start_server(command=_command(reader, streams)) as server:
        (worker,) = server.workers()
        reader.close()
        _send(server, 300)
        assert server.ask("GET", "/livez").status == 200
        assert server.workers() == [worker]
        assert _stop(server) == 0


def test_a_server_that_stops_has_written_every_line(start_server: StartServer) -> None:
    with start_server(WORKERS="2") as server:
        _send(server, 500)
        assert _stop(server) == 0
        lines = server.log().splitlines()
    assert sum("/missing/" in line for line in lines) == 500
    assert lines[-1].endswith("stopped")


def test_a_worker_that_cannot_start_ends_although_nothing_reads_its_message(
    reader: _Reader, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    writer = os.open(reader.path, os.O_WRONLY | os.O_NONBLOCK)
    while select.select([], [writer], [], 0)[1]:
        os.write(writer, b"x" * 4096)
    os.close(writer)  # the pipe keeps its content for the reader
    environment = os.environ | {"LECTERN_MODELS": str(models), "LECTERN_PORT": str(free_port())}
    server = subprocess.Popen(_command(reader, "12"), cwd=_ROOT, env=environment)
    try:
        assert server.wait(60) == 2
    finally:
        server.kill()
        server.wait()


class _File:
    """A file that takes what a test lets it take."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.takes = threading.Event()
        self.takes.set()
        self.results: list[int | OSError | None] = []

    def write(self, data: bytes, /) -> int | None:
        self.takes.wait()
        result = self.results.pop(0) if self.results else len(data)
        if isinstance(result, OSError):
            raise result
        if result is not None:
            self.writes.append(bytes(data[:result]))
        return result

    def lines(self) -> list[str]:
        return b"".join(self.writes).decode().splitlines()


@pytest.fixture
def file() -> _File:
    return _File()


@pytest.fixture
def writer(file: _File) -> Iterator[Any]:
    from service.server.log_writer import LogWriter

    writer = LogWriter(file, describe_lost=lambda count: f"{count} lost")
    yield writer
    file.takes.set()
    writer.close()


def test_lines_are_joined_to_writes_that_a_pipe_does_not_divide(file: _File, writer: Any) -> None:
    lines = [f"{number} {'x' * 90}" for number in range(300)]
    for line in lines:
        writer.write(f"{line}\n")
    writer.flush()
    assert file.lines() == lines
    assert all(len(data) <= select.PIPE_BUF and data.endswith(b"\n") for data in file.writes)
    assert len(file.writes) < 20


def test_a_line_that_is_urgent_is_written_at_once(file: _File, writer: Any, until: Until) -> None:
    writer.write("soon\n")
    writer.write("now\n", urgent=True)
    until(lambda: file.lines() == ["soon", "now"])


def test_flush_waits_for_a_second_in_all(file: _File, writer: Any) -> None:
    file.takes.clear()
    writer.write("line\n")
    begun = time.monotonic()
    assert not writer.flush()
    assert 0.9 < time.monotonic() - begun < 3
    begun = time.monotonic()
    writer.close()
    writer.write("more\n")
    assert time.monotonic() - begun < 0.5


def test_after_close_each_line_is_written_before_the_call_returns(file: _File, writer: Any) -> None:
    writer.close()
    writer.write("late\n")
    assert file.lines() == ["late"]


def test_a_write_that_fails_is_counted_and_the_next_line_begins_at_the_margin(
    file: _File, writer: Any
) -> None:
    counted: list[int] = []
    writer.on_lost = counted.append
    full = OSError(errno.ENOSPC, "no space")
    file.results = [2, full, full]
    writer.write("first\n")
    writer.flush()
    assert counted == [1]
    writer.write("second\n")
    writer.flush()
    assert file.lines() == ["fi", "second", "1 lost"]


def test_a_descriptor_that_does_not_block_is_tried_again(file: _File, writer: Any) -> None:
    file.results = [None, 3, None]
    writer.write("a line\n")
    assert writer.flush()
    assert file.lines() == ["a line"]


def test_streams_of_the_same_file_share_a_writer(tmp_path: Path) -> None:
    script = """
import sys
from service.server import log
log.configure_logging("text")
write = log.standard_output()
for number in range(100):
    write(f"out {number}\\n")
    log._logger.info("error %d", number)
"""
    with (tmp_path / "log").open("wb") as stream:
        subprocess.run(
            [sys.executable, "-c", script], cwd=_ROOT, stdout=stream, stderr=subprocess.STDOUT, check=True
        )
    words = [" ".join(line.split()[-2:]) for line in (tmp_path / "log").read_text().splitlines()]
    assert words == [f"{kind} {number}" for number in range(100) for kind in ("out", "error")]
