"""Owns the list of systems: how each is started, and what it is asked."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from peers.dialects import Digits, Post, nothing

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "models" / "mnist" / "1" / "model.onnx"
_SERVERS = Path(__file__).parent / "servers"


@dataclass(frozen=True)
class Ask:
    """One kind of request to one system.

    Attributes:
        dialect: Row of the table: ``png``, ``oip-json``, ``oip-binary``, ``oip-binary-64`` or ``empty``.
        path: Of the URL.
        post: What is sent.
    """

    dialect: str
    path: str
    post: Post


@dataclass(frozen=True)
class System:
    """A server that is measured.

    Attributes:
        name: On the command line and in the figures.
        title: In the table.
        environment: Name of its requirements; empty for Lectern itself.
        words: The command behind its Python; ``{port}`` stands for the port.
        variables: Environment variables; ``{port}`` as above.
        ready: Path that answers 200 once it can be asked.
        asks: What it is asked.
        workers: Processes or threads that run the network.
        pauses: Whether it can be paused while others have their turn; one that cannot is idle meanwhile.
    """

    name: str
    title: str
    environment: str
    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    ready: str
    asks: tuple[Ask, ...]
    workers: int
    pauses: bool = True

    def command(self, python: Path, port: int) -> list[str]:
        """Return the command that starts it."""
        return [str(python), *(word.replace("{port}", str(port)) for word in self.words)]

    def surroundings(self, port: int) -> dict[str, str]:
        """Return the environment variables that it is started with."""
        ours = ("LECTERN_", "PROMETHEUS_", "BENTOML_", "MLSERVER_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        given = {name: value.replace("{port}", str(port)) for name, value in self.variables}
        return inherited | given | {"BENTOML_DO_NOT_TRACK": "True", "OMP_NUM_THREADS": "1"}


def all_systems() -> dict[str, System]:
    """Return every system by name, Lectern first, each with the number of workers that is best for it."""
    digits = Digits.read()
    lectern = _lectern(digits)
    oip = "/v2/models/mnist/infer"
    tensors = (
        Ask("oip-json", oip, digits.oip_json()),
        Ask("oip-binary", oip, digits.oip_binary(1)),
        Ask("oip-binary-64", oip, digits.oip_binary(64)),
    )
    png = Ask("png", "/predict", digits.png())
    systems = [
        lectern,
        replace(_with_workers(lectern, 1), name="lectern-1", asks=_only(lectern, "oip-binary-64")),
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
        # Its Python backend takes a pause for a crash of its process.
        replace(_peer("triton", "Triton, Python backend", ("triton_server.py",), "/v2/models/mnist/ready", 1,
                      tensors), pauses=False),
        _peer("fastapi", "FastAPI, written well", ("fastapi_server.py",), "/ready", 2, (png,)),
    ]  # fmt: skip
    return {system.name: system for system in systems}


def _lectern(digits: Digits) -> System:
    oip = "/v2/models/mnist/versions/1/infer"
    lectern = System(
        name="lectern",
        title="Lectern",
        environment="",
        words=("-c", "from service.cli import main; main()", "serve"),
        variables=(("LECTERN_PORT", "{port}"), ("LECTERN_MAX_QUEUE", "128")),
        ready="/readyz",
        asks=(
            Ask("png", "/models/mnist/versions/1", digits.png()),
            Ask("oip-json", oip, digits.oip_json()),
            Ask("oip-binary", oip, digits.oip_binary(1)),
            Ask("oip-binary-64", oip, digits.oip_binary(64)),
            Ask("empty", "/livez", nothing()),
        ),
        workers=0,
    )
    return _with_workers(lectern, 2)


def _with_workers(lectern: System, workers: int) -> System:
    variables = (*lectern.variables, ("LECTERN_WORKERS", str(workers)))
    return replace(lectern, variables=variables, workers=workers, title=f"Lectern, {workers} worker(s)")


def _only(system: System, *dialects: str) -> tuple[Ask, ...]:
    return tuple(ask for ask in system.asks if ask.dialect in dialects)


def _bentoml(service: str) -> tuple[str, ...]:
    return ("-m", "bentoml", "serve", f"bentoml_server:{service}", "--host", "127.0.0.1", "--port", "{port}")


def _form(digits: Digits, path: str, field: str) -> tuple[Ask, ...]:
    return (Ask("png", path, digits.form(field)),)


def _peer(
    name: str,
    title: str,
    words: tuple[str, ...],
    ready: str,
    workers: int,
    asks: tuple[Ask, ...],
    *,
    environment: str = "",
) -> System:
    variables = (
        ("BENCH_MODEL", str(MODEL)),
        ("BENCH_PORT", "{port}"),
        ("BENCH_WORKERS", str(workers)),
        ("PYTHONPATH", str(_SERVERS)),
    )
    return System(name, title, environment or name, words, variables, ready, asks, workers)


def python_of(system: System, build: Callable[[str], Path]) -> Path:
    """Return the Python that runs a system, its environment built where it has one of its own."""
    return build(system.environment) if system.environment else Path(sys.executable)
