"""The supervisor: workers that end or hang are replaced, signals stop or restart the server at any time."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.server.workers.channel import RETIRE

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]
FreePort = Callable[[], int]

_LECTERN = str(Path(sys.executable).with_name("lectern"))


_IMPATIENT = """
from service.cli import main
from service.server.workers import supervisor
supervisor._HUNG_S = 5.0
main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the server."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def server(start_server: StartServer, folder: Path, models: Path) -> Iterator[Server]:
    command = (sys.executable, "-c", _IMPATIENT, "serve")
    with start_server(
        grpc=True, MODELS=str(models), command=command, variables={"TMPDIR": str(folder)}
    ) as server:
        yield server


def _tree(server: Server) -> list[psutil.Process]:
    return [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]


def test_the_supervisor_has_no_child_but_the_workers_and_is_small(server: Server) -> None:
    supervisor, *workers = _tree(server)
    assert sorted(worker.pid for worker in workers) == server.workers()
    # BentoML or ONNX Runtime alone take more.
    assert supervisor.memory_full_info().uss < 40_000_000


def test_the_server_listens_on_nothing_but_the_configured_ports(server: Server) -> None:
    found = [
        connection
        for process in _tree(server)
        for kind in ("inet", "unix")
        for connection in process.net_connections(kind)
    ]
    ports = {each.laddr.port for each in found if each.status == psutil.CONN_LISTEN}
    assert ports == {server.port, server.grpc_port}
    assert not [each for each in found if each.family == socket.AF_UNIX and each.laddr]


def test_the_files_of_the_server_are_private_and_have_their_space_on_the_disk(
    server: Server, folder: Path
) -> None:
    (own,) = folder.iterdir()
    assert own.stat().st_mode & 0o777 == 0o700
    server.ask("POST", "/models/mnist", b"not a picture")
    files = list(own.glob("metrics/*.db"))
    # A type of metric that is missing in the list of files would have a file without its space.
    assert {path.stat().st_size for path in files} == {1 << 20, 2 << 20}
    assert all(path.stat().st_blocks * 512 >= path.stat().st_size for path in files)


def test_a_worker_that_is_killed_is_replaced_and_counted(
    server: Server, folder: Path, digit_png: bytes, until: Until
) -> None:
    assert server.ask("POST", "/models/mnist", digit_png).status == 200
    until(lambda: server.metric("lectern_predictions_total", model="mnist") == 1)
    assert server.metric("lectern_worker_restarts_total") == 0
    (worker,) = server.workers()
    (own,) = folder.iterdir()
    before = list(own.rglob("*"))
    left = next(own.glob("tmp-*")) / "left-behind"
    left.mkdir()

    os.kill(worker, signal.SIGKILL)
    # A client waits for the new worker, and gets no error.
    assert server.ask("POST", "/models/mnist", digit_png).status == 200

    assert server.workers() != [worker]
    assert "ended unexpectedly: SIGKILL, perhaps because memory ran out" in server.log()
    until(lambda: f"(process {server.workers()[0]}) is ready" in server.log())
    assert server.metric("lectern_worker_restarts_total") == 1
    assert server.metric("lectern_workers") == 1
    # The counters continue.
    until(lambda: server.metric("lectern_predictions_total", model="mnist") == 2)
    assert not left.exists()
    assert len(list(own.rglob("*"))) == len(before)


def test_a_worker_that_hangs_is_replaced(server: Server, until: Until) -> None:
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)
    until(lambda: "has hung for 5 s and is killed" in server.log())
    assert server.ask("GET", "/readyz").status == 200
    assert server.workers() != [worker]


_BUSY = """
import socket, sys, time
from service.server.workers import channel
channel.connect(socket.socket(fileno=int(sys.argv[1])), is_restart=False)
end = time.monotonic() + 2
while time.monotonic() < end:
    sum(range(1000))
"""


def test_a_worker_that_is_busy_still_shows_that_it_lives() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", _BUSY, str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
            theirs.close()
            received = b""
            while data := ours.recv(100):
                received += data
    assert process.returncode == 0
    assert len(received) >= 3


_UNREAD = """
import socket, sys, time
from service.server.workers import channel
channel.INTERVAL_S = 0.01
connection = socket.socket(fileno=int(sys.argv[1]))
connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
channel.connect(connection, is_restart=False)
time.sleep(1)
"""


def test_a_worker_outlives_a_supervisor_that_is_paused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", _UNREAD, str(theirs.fileno())]
        done = subprocess.run(command, pass_fds=[theirs.fileno()], check=False, timeout=60)
    assert done.returncode == 0


_RETIRED = """
import os, socket, sys, threading, time
from service.server.workers import channel
channel.INTERVAL_S = 0.01
channel.connect(socket.socket(fileno=int(sys.argv[1])), is_restart=False)
sys.stdin.read()
channel.on_retire(lambda: os._exit(7))
time.sleep(30)
"""


def test_a_worker_that_is_retired_while_it_loads_retires_when_it_has_loaded() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(RETIRE)
        command = [sys.executable, "-c", _RETIRED, str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.PIPE) as process:
            for _ in range(3):  # By the third message it has read what was sent.
                assert ours.recv(1) == b"\n"
            process.communicate()
    assert process.returncode == 7


def _command(port: int) -> list[str]:
    return [_LECTERN, "serve", "--port", str(port)]


def _start(port: int, *before: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, *_command(port)],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _catches(process: int, number: int) -> bool:
    """Return whether a process has a handler for a signal."""
    status = Path(f"/proc/{process}/status").read_text()
    caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> (number - 1) & 1)


def _messages(output: str) -> list[str]:
    """Return the messages of the log, without those of BentoML."""
    lines = (line for line in output.splitlines() if "[entry_service" not in line)
    return [line.split(maxsplit=3)[3] for line in lines]


def _messages_when_stopped(moment: str) -> list[str]:
    return ["stopped before the server was ready"] if moment == "worker starts" else []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["imports", "worker starts"])
def test_a_signal_while_the_server_starts_ends_it(
    number: signal.Signals, moment: str, until: Until, free_port: FreePort
) -> None:
    process = _start(free_port())
    if moment == "worker starts":
        until(lambda: psutil.Process(process.pid).children())
    else:
        # Python itself handles SIGINT, but not SIGTERM.
        until(lambda: _catches(process.pid, signal.SIGTERM))
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode in (0, 128 + number)
    assert _messages(output) == _messages_when_stopped(moment)


def _can_unshare() -> bool:
    command = ["unshare", "--pid", "--fork", "true"]
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@pytest.mark.skipif(not _can_unshare(), reason="this user cannot make the server the first process")
@pytest.mark.parametrize("moment", ["imports", "worker starts"])
def test_the_first_process_of_a_container_ends_on_sigterm(
    moment: str, until: Until, free_port: FreePort
) -> None:
    with _start(free_port(), "unshare", "--pid", "--fork", "--kill-child") as process:
        (first,) = until(lambda: psutil.Process(process.pid).children())
        if moment == "worker starts":
            until(first.children)
        else:
            until(lambda: "lectern" in first.cmdline()[1] and _catches(first.pid, signal.SIGTERM))
        first.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        assert process.returncode in (0, 143)
        assert _messages(output) == _messages_when_stopped(moment)


def test_a_server_whose_workers_keep_ending_stops(until: Until, free_port: FreePort) -> None:
    with _start(free_port()) as process:
        supervisor = psutil.Process(process.pid)
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            with suppress(psutil.Error):
                for worker in supervisor.children():
                    worker.kill()
            time.sleep(0.02)
        output = process.communicate(timeout=10)[0]
    assert process.returncode == 1
    assert "6 workers ended within 60 s, so the server stops" in output.splitlines()[-1]


def test_workers_end_without_draining_when_their_supervisor_was_killed(
    start_server: StartServer, tmp_path: Path, models: Path, until: Until
) -> None:
    variables = {"TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    with start_server(MODELS=str(models), DRAIN_S="3600", variables=variables) as server:
        (worker,) = server.workers()
        server.process.kill()
        until(lambda: not psutil.pid_exists(worker))
        assert "the supervisor has ended, so this worker stops" in server.log()
        (left,) = (tmp_path / "tmp").iterdir()
    # The next server removes what a killed one has left.
    process = _start(server.port, LECTERN_DRAIN_S="0", **variables)
    until(lambda: not left.exists())
    process.terminate()
    process.communicate(timeout=30)
    assert not list((tmp_path / "tmp").iterdir())


def test_a_disk_without_space_is_reported_in_one_line(tmp_path: Path, free_port: FreePort) -> None:
    # A limit on the size of files fails in the same place as a full disk.
    process = _start(free_port(), "prlimit", "--fsize=100000", TMPDIR=str(tmp_path))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    (line,) = output.splitlines()
    assert line.startswith(f"lectern: {tmp_path}")
    assert "make room, or set TMPDIR" in line
    assert not list(tmp_path.iterdir())


def test_no_module_in_the_callers_folder_replaces_one_of_python(
    start_server: StartServer, tmp_path: Path, models: Path
) -> None:
    shutil.copytree(models, tmp_path / "models")
    for name in ("random", "types", "socket", "service"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')")
    with start_server(MODELS="models", command=(_LECTERN, "serve"), cwd=tmp_path) as server:
        assert "taken over" not in server.log()
