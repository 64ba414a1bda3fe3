"""Declares the systems to measure: how each is started, and the requests that it gets."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from peers.protocols import Digits, Payload, empty

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "models" / "mnist" / "1" / "model.onnx"
_SERVERS = Path(__file__).parent / "servers"


@dataclass(frozen=True)
class Request:
    """One kind of request to one system.

    Attributes:
        protocol: ``png``, ``oip-json``, ``oip-binary``, ``oip-binary-64`` or ``empty``.
        path: Path of the URL.
        payload: To send.
    """

    protocol: str
    path: str
    payload: Payload


@dataclass(frozen=True)
class System:
    """A server to measure.

    Attributes:
        name: On the command line and in the results.
        title: Title in tables.
        environment: Name of its requirements file; empty for Lectern.
        arguments: Arguments of Python; ``{port}`` stands for the port.
        variables: Environment variables; ``{port}`` as above.
        ready_path: Responds with 200 when the server is ready.
        requests: Requests that it gets.
        workers: Processes or threads that run the network.
        ready_line: Part of the line in its log after which all workers are ready; empty if it writes none.
        can_pause: Whether it survives SIGSTOP while others are measured; otherwise it stays idle.
    """

    name: str
    title: str
    environment: str
    arguments: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    ready_path: str
    requests: tuple[Request, ...]
    workers: int
    ready_line: str = ""
    can_pause: bool = True

    def command(self, python: Path, port: int) -> list[str]:
        """Return the command that starts it."""
        return [str(python), *(argument.replace("{port}", str(port)) for argument in self.arguments)]

    def environ(self, port: int) -> dict[str, str]:
        """Return its environment variables."""
        removed = ("LECTERN_", "PROMETHEUS_", "BENTOML_", "MLSERVER_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
        own = {name: value.replace("{port}", str(port)) for name, value in self.variables}
        return inherited | own | {"BENTOML_DO_NOT_TRACK": "True", "OMP_NUM_THREADS": "1"}


def all_systems() -> dict[str, System]:
    """Return all systems by name, Lectern first, each with its best number of workers."""
    digits = Digits.load()
    lectern = _lectern(digits)
    oip = "/v2/models/mnist/infer"
    tensors = (
        Request("oip-json", oip, digits.oip_json()),
        Request("oip-binary", oip, digits.oip_binary(1)),
        Request("oip-binary-64", oip, digits.oip_binary(64)),
    )
    png = Request("png", "/predict", digits.png())
    batches = tuple(request for request in lectern.requests if request.protocol == "oip-binary-64")
    systems = [
        lectern,
        replace(with_workers(lectern, 1), name="lectern-1", requests=batches),
        _peer("bentoml", "BentoML, tutorial", _bentoml("Tutorial"), "/readyz", 2,
              _form(digits, "/classify", "image")),
        _peer("bentoml-batchable", "BentoML, batchable", _bentoml("Batchable"), "/readyz", 2,
              _form(digits, "/classify", "images"), environment="bentoml"),
        _peer("litserve", "LitServe", ("litserve_server.py",), "/health", 1,
              _form(digits, "/predict", "image")),
        _peer("mlserver", "MLServer, worker pool", ("mlserver_server.py",), "/v2/models/mnist/ready", 1,
              tensors[:1]),
        _peer("mlserver-inline", "MLServer, no pool", ("mlserver_server.py",), "/v2/models/mnist/ready", 0,
              tensors[:1], environment="mlserver"),
        # Triton restarts the process of its Python backend after a pause.
        replace(_peer("triton", "Triton, Python backend", ("triton_server.py",), "/v2/models/mnist/ready", 1,
                      tensors), can_pause=False),
        _peer("fastapi", "FastAPI, written well", ("fastapi_server.py",), "/ready", 2, (png,)),
    ]  # fmt: skip
    return {system.name: system for system in systems}


def _lectern(digits: Digits) -> System:
    oip = "/v2/models/mnist/versions/1/infer"
    lectern = System(
        name="lectern",
        title="Lectern",
        environment="",
        arguments=("-c", "from service.cli import main; main()", "serve"),
        variables=(("LECTERN_PORT", "{port}"), ("LECTERN_MAX_QUEUE", "128")),
        ready_path="/readyz",
        requests=(
            Request("png", "/models/mnist/versions/1", digits.png()),
            Request("oip-json", oip, digits.oip_json()),
            Request("oip-binary", oip, digits.oip_binary(1)),
            Request("oip-binary-64", oip, digits.oip_binary(64)),
            Request("empty", "/livez", empty()),
        ),
        workers=0,
    )
    return with_workers(lectern, 2)


def with_workers(lectern: System, workers: int) -> System:
    """Return Lectern with another number of workers."""
    variables = (*lectern.variables, ("LECTERN_WORKERS", str(workers)))
    line = f"all {workers} workers are ready" if workers > 1 else ""
    title = f"Lectern, {workers} worker(s)"
    return replace(lectern, variables=variables, workers=workers, title=title, ready_line=line)


def _bentoml(service: str) -> tuple[str, ...]:
    return ("-m", "bentoml", "serve", f"bentoml_server:{service}", "--host", "127.0.0.1", "--port", "{port}")


def _form(digits: Digits, path: str, field: str) -> tuple[Request, ...]:
    return (Request("png", path, digits.form(field)),)


def _peer(
    name: str,
    title: str,
    arguments: tuple[str, ...],
    ready_path: str,
    workers: int,
    requests: tuple[Request, ...],
    *,
    environment: str = "",
) -> System:
    variables = (
        ("BENCH_MODEL", str(MODEL)),
        ("BENCH_PORT", "{port}"),
        ("BENCH_WORKERS", str(workers)),
        ("PYTHONPATH", str(_SERVERS)),
    )
    return System(name, title, environment or name, arguments, variables, ready_path, requests, workers)
