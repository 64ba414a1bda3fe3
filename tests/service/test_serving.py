"""Tests of the command serve: options and variables, its address, and errors in one line."""

import errno
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service import serving
from service.settings import Settings, table

Run = Callable[..., Any]
FreePort = Callable[[], int]
Serve = Callable[..., tuple[int, list[str]]]
_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, Any]]:
    """Record settings and address of the servers that would start."""
    servers: list[tuple[Settings, Any]] = []

    def supervise(settings: Settings, listener: socket.socket) -> int:
        servers.append((settings, listener.getsockname()))
        return 0

    monkeypatch.setattr(serving, "_supervise", supervise)
    return servers


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    """``serve`` configures the log of the process."""
    root, hooks = logging.getLogger(), (sys.excepthook, sys.unraisablehook, threading.excepthook)
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(False)


def test_serve_options_override_variables_and_variables_override_defaults(
    run: Run, started: list[tuple[Settings, Any]], free_port: FreePort
) -> None:
    ports = [free_port() for _ in range(2)]
    os.environ.update(LECTERN_PORT=str(ports[0]), LECTERN_HOST="127.0.0.1")
    run("serve")
    run("serve", "--port", str(ports[1]))
    assert [address for _, address in started] == [("127.0.0.1", port) for port in ports]
    # The workers read the environment again.
    assert os.environ["LECTERN_PORT"] == str(ports[1])


def test_serve_resolves_relative_paths(
    run: Run,
    started: list[tuple[Settings, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free_port: FreePort,
) -> None:
    monkeypatch.chdir(tmp_path)
    os.environ.update(LECTERN_MODELS="mine", LECTERN_TLS_CERT="cert.pem", LECTERN_TLS_KEY="key.pem")
    os.environ.update(LECTERN_RECORD="record")
    assert run("serve", "--port", str(free_port())).status == 0
    # The workers have another working directory.
    assert os.environ["LECTERN_MODELS"] == str(tmp_path / "mine")
    assert os.environ["LECTERN_TLS_CERT"] == str(tmp_path / "cert.pem")
    assert os.environ["LECTERN_TLS_KEY"] == str(tmp_path / "key.pem")
    assert os.environ["LECTERN_RECORD"] == str(tmp_path / "record")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_serve_listens_on_ipv6(run: Run, started: list[tuple[Settings, Any]], free_port: FreePort) -> None:
    port = free_port()
    assert run("serve", "--host", "::1", "--port", str(port)).status == 0
    ((settings, address),) = started
    assert address[:2] == ("::1", port)
    assert serving._address(settings) == f"http://[::1]:{port}"


def test_the_address_names_the_port_of_grpc() -> None:
    settings = Settings(port=3000, grpc_port=3001)
    assert serving._address(settings) == "http://127.0.0.1:3000 and grpc://127.0.0.1:3001"


@pytest.mark.parametrize("taken", ["LECTERN_PORT", "LECTERN_GRPC_PORT"])
def test_serve_reports_a_port_in_use(
    run: Run, started: list[tuple[Settings, Any]], taken: str, free_port: FreePort
) -> None:
    ports = {name: free_port() for name in ("LECTERN_PORT", "LECTERN_GRPC_PORT")}
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports[taken] = other.getsockname()[1]
        os.environ.update({name: str(port) for name, port in ports.items()})
        result = run("serve")
    assert (result.status, started) == (2, [])
    assert f"cannot listen on 127.0.0.1:{ports[taken]}" in result.err
    assert taken in result.err


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("LECTERN_MAX_BATCH", "many", "LECTERN_MAX_BATCH is 'many'"),
        ("LECTERN_API_KEYS", ",", "LECTERN_API_KEYS"),
    ],
)
def test_serve_reports_an_invalid_setting_in_one_line(
    run: Run,
    started: list[tuple[Settings, Any]],
    variable: str,
    value: str,
    message: str,
    free_port: FreePort,
) -> None:
    os.environ[variable] = value
    result = run("serve", "--port", str(free_port()))
    assert (result.status, started) == (2, [])
    assert message in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("port", ["1_0_0", "+3000", " 3000", "3000 ", "\N{FULLWIDTH DIGIT THREE}000", "3e3"])
def test_serve_takes_a_port_in_plain_digits_only(
    run: Run, started: list[tuple[Settings, Any]], port: str
) -> None:
    result = run("serve", "--port", port)
    assert (result.status, started) == (2, [])
    assert f"{port!r} is not a whole number" in result.err


def test_serve_warns_of_unknown_variables_in_one_line(
    run: Run, started: list[tuple[Settings, Any]], free_port: FreePort
) -> None:
    os.environ.update(LECTERN_MAX_BATCHES="4", LECTERN_NOTHING="1", LECTERN_SERVICE_HOST="10.96.0.12")
    result = run("serve", "--port", str(free_port()))
    assert len(started) == 1
    (line,) = [line for line in result.err.splitlines() if "LECTERN_" in line]
    assert " WARNING lectern no setting has this name: LECTERN_MAX_BATCHES" in line
    assert "(did you mean LECTERN_MAX_BATCH?), LECTERN_NOTHING;" in line
    assert "SERVICE_HOST" not in line


@pytest.fixture
def serve(free_port: FreePort) -> Serve:
    """Start a server that cannot start; return its status and the lines of its output."""

    def start(**variables: str) -> tuple[int, list[str]]:
        program = "from service.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, "serve", "--port", str(free_port())],
            cwd=_ROOT,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.splitlines()

    return start


def test_serve_reports_a_hardware_provider_that_is_missing_in_one_line(serve: Serve) -> None:
    # Several workers would print it several times.
    status, (line,) = serve(LECTERN_PROVIDERS="tensorrt", LECTERN_WORKERS="2")
    assert status == 2
    assert line.startswith("lectern: ")
    assert "provider 'tensorrt'" in line


def test_serve_reports_a_damaged_model_in_one_line(
    tmp_path: Path, tiny_model: Callable[..., Path], serve: Serve
) -> None:
    (tiny_model(tmp_path) / "model.onnx").write_bytes(b"cut")
    status, (line,) = serve(LECTERN_MODELS=str(tmp_path))
    assert status == 2
    assert "mnist/1/model.onnx" in line


def test_serve_reports_a_certificate_that_cannot_be_used_in_one_line(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "cert.pem").write_text("damaged")
    status, (line,) = serve(
        LECTERN_TLS_CERT=str(tmp_path / "cert.pem"), LECTERN_TLS_KEY=str(tmp_path / "cert.pem")
    )
    assert status == 2
    assert line.startswith("lectern: LECTERN_TLS_CERT and LECTERN_TLS_KEY cannot be used: OpenSSL refuses")
    assert "_ssl.c" not in line


def test_serve_names_a_certificate_that_is_missing(tmp_path: Path, serve: Serve) -> None:
    missing = str(tmp_path / "missing.pem")
    status, (line,) = serve(LECTERN_TLS_CERT=missing, LECTERN_TLS_KEY=missing)
    assert status == 2
    assert f"{missing}: No such file" in line


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/proc/record", "No such file or directory"),
        ("{folder}/file", "Not a directory"),
        ("{folder}/file/record", "Not a directory"),
        ("/dev/null", "Not a directory"),
    ],
)
def test_serve_reports_a_record_that_cannot_be_written_in_one_line(
    run: Run, started: list[tuple[Settings, Any]], tmp_path: Path, path: str, cause: str, free_port: FreePort
) -> None:
    (tmp_path / "file").write_text("mine")
    os.environ["LECTERN_RECORD"] = path.format(folder=tmp_path)
    result = run("serve", "--port", str(free_port()))
    assert (result.status, started) == (2, [])
    (line,) = result.err.splitlines()
    assert f"LECTERN_RECORD is {path.format(folder=tmp_path)!r}" in line
    assert f"({cause})" in line
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_serve_reports_a_record_without_permission(
    run: Run, started: list[tuple[Settings, Any]], tmp_path: Path, free_port: FreePort
) -> None:
    tmp_path.chmod(0o500)
    os.environ["LECTERN_RECORD"] = str(tmp_path / "record")
    result = run("serve", "--port", str(free_port()))
    assert (result.status, started) == (2, [])
    assert "(Permission denied)" in result.err


def test_serve_starts_with_a_record_on_a_full_disk(
    run: Run,
    started: list[tuple[Settings, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free_port: FreePort,
) -> None:
    def no_room(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", no_room)
    os.environ["LECTERN_RECORD"] = str(tmp_path / "record")
    assert run("serve", "--port", str(free_port())).status == 0
    assert len(started) == 1


def test_serve_lists_every_setting_in_its_help(run: Run) -> None:
    text = run("serve", "--help").out
    assert all(name in text for name, _, _ in table())


def test_the_supervisor_imports_no_library_of_the_models() -> None:
    program = "import sys, service.serving, service.server.workers.supervisor; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert {"numpy", "onnxruntime", "PIL", "bentoml", "uvicorn"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LECTERN_TIMEOUT_S", "x"),
        ("LECTERN_HOST", "192.0.2.1"),
        ("LECTERN_RECORD", "/dev/null"),
        ("LECTERN_MODELS", "/nowhere"),
    ],
)
def test_an_error_at_the_start_has_the_form_of_the_log(serve: Serve, name: str, value: str) -> None:
    status, (line,) = serve(**{"LECTERN_LOG_FORMAT": "json", name: value})
    row = json.loads(line)
    assert (status, row["level"], row["logger"]) == (2, "CRITICAL", "lectern")


def test_an_error_escapes_what_a_terminal_would_obey(serve: Serve) -> None:
    # A file of variables with the line ends of Windows.
    status, (line,) = serve(LECTERN_MODELS="/nowhere\r")
    assert (status, line.startswith("lectern: /nowhere\\r: no such folder")) == (2, True)
