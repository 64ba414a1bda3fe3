"""Real servers for the tests: ``lectern serve`` in its own process, with requests over plain sockets."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.inference.catalog import Catalog

_ROOT = Path(__file__).resolve().parents[3]
_START = (sys.executable, "-c", "from service.cli import main; main()", "serve")
_STARTS_WITHIN_S = 90
_STOPS_WITHIN_S = 20


@dataclass(frozen=True)
class Answer:
    """The response of a server."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, and what it has logged."""

    port: int
    grpc_port: int
    process: subprocess.Popen[bytes]
    log_path: Path
    certificate: Path | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        """Send one request with no more headers than HTTP demands, and read the answer."""
        if self.certificate:
            trusted = ssl.create_default_context(cafile=self.certificate)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=30, context=trusted
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            # A server that refuses a body closes the connection early; its response can still be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, dict(headers or {}), **options)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post_json(self, path: str, document: object, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask(
            "POST", path, json.dumps(document), {"Content-Type": "application/json", **(headers or {})}
        )

    def samples(
        self, name: str, *, headers: Mapping[str, str] | None = None
    ) -> list[tuple[dict[str, str], float]]:
        """Return labels and value of each series of a metric."""
        text = self.ask("GET", "/metrics", headers=headers).body.decode()
        samples = (one for family in text_string_to_metric_families(text) for one in family.samples)
        return [(sample.labels, sample.value) for sample in samples if sample.name == name]

    def metric(self, name: str, *, headers: Mapping[str, str] | None = None, **labels: str) -> float:
        """Return the sum of the series of a metric that have these labels."""
        found = self.samples(name, headers=headers)
        return sum(value for has, value in found if labels.items() <= has.items())

    def begin(
        self, path: str, body: bytes, *, sent: int, headers: Mapping[str, str] | None = None
    ) -> socket.socket:
        """Send a request's head and the first bytes of its body; the test sends the rest."""
        lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[:sent])
        return connection

    def begin_long(self, *, pictures: int, headers: Mapping[str, str] | None = None) -> socket.socket:
        """Send a complete request that runs for some milliseconds a picture."""
        body = bytes(pictures * 180 * 180 * 3)
        raw = {"Inference-Header-Content-Length": "0", **(headers or {})}
        return self.begin("/v2/models/cats_vs_dogs/infer", body, sent=len(body), headers=raw)

    @contextmanager
    def busy(self, *, headers: Mapping[str, str] | None = None, clients: int = 4) -> Iterator[None]:
        """Keep the server busy with requests of four pictures each while a ``with`` block lasts."""
        done = threading.Event()

        def keep_busy() -> None:
            while not done.is_set():
                with suppress(OSError), self.begin_long(pictures=4, headers=headers) as connection:
                    connection.recv(1000)

        with ThreadPoolExecutor(clients) as threads:
            for _ in range(clients):
                threads.submit(keep_busy)
            try:
                yield
            finally:
                done.set()

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def workers(self) -> list[int]:
        """Return the ids of the worker processes."""
        pids = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # it has ended
                if "service.server.workers.worker" in child.cmdline():
                    pids.append(child.pid)
        return sorted(pids)


def read_answer(connection: socket.socket) -> Answer:
    """Read the answer to a request that was sent by hand, and close the connection."""
    with connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.headers, response.read())


def until(condition: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait until a condition in another process is true; return its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, psutil.Error):
            if found := condition():
                return found
        time.sleep(0.02)
    raise AssertionError("the condition did not become true in time")


StartServer = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session", name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture(scope="session", name="read_answer")
def _read_answer() -> Callable[[socket.socket], Answer]:
    return read_answer


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> StartServer:
    """Run a server with settings of its own while a ``with`` block lasts."""

    @contextmanager
    def start(
        *,
        grpc: bool = False,
        home: Path | None = None,
        command: Sequence[str] = _START,
        cwd: Path = _ROOT,
        variables: Mapping[str, str] | None = None,
        **settings: str,
    ) -> Iterator[Server]:
        folder = tmp_path_factory.mktemp("server")
        port, grpc_port = _free_ports()
        own = {"MODELS": str(models_folder), "PORT": str(port), "GRPC_PORT": str(grpc_port) if grpc else ""}
        # Responses are compared with those of the float32 network in-process, and with the README.
        own["PRECISION"] = "float32"
        own["DRAIN_S"] = "0"  # no proxy waits for the end of the servers
        # A machine that also does other things makes requests wait.
        own["MAX_WAIT_S"] = "3600"
        chosen = own | settings
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("LECTERN_", "PROMETHEUS_", "BENTOML_"))
            },
            **{f"LECTERN_{name}": value for name, value in chosen.items()},
            **({"HOME": str(home)} if home else {"BENTOML_HOME": str(folder / "bentoml")}),
            **(variables or {}),
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        certificate = Path(chosen["TLS_CERT"]) if "TLS_CERT" in chosen else None
        server = Server(port, grpc_port, process, folder / "log", certificate)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    return start


def _free_ports() -> tuple[int, int]:
    """Return two free ports; both are bound until both are known, so that they differ."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait_until_ready(server: Server) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if server.ask("GET", "/readyz").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    pytest.fail(f"the server did not start:\n{server.log()}")


@pytest.fixture(scope="session")
def catalog(models_folder: Path) -> Catalog:
    return Catalog(models_folder)


@pytest.fixture(scope="session")
def expected(catalog: Catalog) -> Callable[..., npt.NDArray[np.float32]]:
    """Return the output of the network in-process, for files and texts or for a batch."""

    def probabilities(model: str, *inputs: Any, batch: Any = None) -> npt.NDArray[np.float32]:
        predictor = catalog.predictor(model)
        if batch is None:
            batch = predictor.stack([predictor.prepare(value) for value in inputs])
        return predictor.probabilities(batch)

    return probabilities


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Iterator[Server]:
    """A server of the committed models with default settings."""
    with start_server(grpc=True) as running:
        yield running


@pytest.fixture(scope="session")
def strict(start_server: StartServer) -> Iterator[Server]:
    """A server with low limits, keys, an origin, and its log in JSON."""
    with start_server(
        grpc=True,
        MAX_BODY_MB="1",
        MAX_PIXELS="10000",
        MAX_BATCH="4",
        MAX_QUEUE="1",
        TIMEOUT_S="1.5",
        API_KEYS="alpha,beta",
        CORS_ORIGINS="https://lecture.example",
        CORS_HEADERS="X-Tenant",
        LOG_FORMAT="json",
    ) as running:
        yield running
