"""Measures what each special mechanism of the server brings: ``./run bench mechanisms``.

Starts the real server once per mechanism, with that mechanism replaced by ``mechanism_service.py``.
"""

import contextlib
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
from mechanism_service import MECHANISMS
from peers.errors import BenchmarkError
from peers.processes import RunningSystem, running
from peers.protocols import Digits
from peers.systems import ROOT, Request, System, all_systems, with_workers
from peers.wrk import find_wrk, run_wrk

# The server's workers run another program.
_START = """
from service.cli import main
from service.server.workers import worker_process
assert hasattr(worker_process, "MODULE")  # else the server would be measured as it is
worker_process.MODULE = "mechanism_worker"
main()
"""
_OUT = ROOT / ".bench" / "results" / "mechanisms.md"


@dataclass(frozen=True)
class Case:
    """One column of the table.

    Attributes:
        title: Title of the column.
        workers: Worker processes.
        connections: Connections that are open at once.
        short: Whether each request has a connection of its own.
    """

    title: str
    workers: int
    connections: int
    short: bool = False


_CASES = (
    Case("1 worker, 1 connection", 1, 1),
    Case("1 worker, 16", 1, 16),
    Case("2 workers, 16", 2, 16),
    Case("2 workers, 16 short-lived", 2, 16, short=True),
)


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 100), help="Runs per cell.")
@click.option("--seconds", default=2, show_default=True, type=click.IntRange(1, 60), help="Length of a run.")
@click.option(
    "--only",
    "names",
    multiple=True,
    type=click.Choice(sorted(MECHANISMS)),
    help="Measure this mechanism only.",
)
@click.option("--out", type=click.Path(path_type=Path), default=_OUT, help="File to write.")
def mechanisms(rounds: int, seconds: int, names: tuple[str, ...], out: Path) -> None:
    """Measure the server without each of its special mechanisms.

    Prints and writes a Markdown table of requests per second: one PNG, and one OIP binary tensor. Each cell
    is the median of the rounds. Needs wrk, and Linux.
    """
    chosen = [name for name in MECHANISMS if not names or name in names or name == "nothing"]
    rates: dict[tuple[str, Case], str] = {}
    try:
        wrk = find_wrk()
        for workers in sorted({case.workers for case in _CASES}):
            cases = [case for case in _CASES if case.workers == workers]
            with _servers(chosen, workers) as servers:
                rates |= _measure(wrk, servers, cases, rounds=rounds, seconds=seconds)
    except BenchmarkError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(2)
    text = table(rates, chosen)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(text)


def table(rates: dict[tuple[str, Case], str], names: list[str]) -> str:
    """Return the Markdown table: a row per mechanism, a column per case."""
    head = ["switched off", *(case.title for case in _CASES)]
    rows = [[name, *(rates[name, case] for case in _CASES)] for name in names]
    lines = [head, ["---"] * len(head), *rows]
    return "Requests per second: one PNG / one OIP binary tensor\n\n" + "".join(
        f"| {' | '.join(line)} |\n" for line in lines
    )


@contextlib.contextmanager
def _servers(names: list[str], workers: int) -> Iterator[dict[str, RunningSystem]]:
    """Start a server per mechanism; all are paused."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {}
        for name in names:
            home = folder / name.replace(" ", "-")
            home.mkdir()
            servers[name] = stack.enter_context(running(_system(name, workers), Path(sys.executable), home))
            servers[name].pause()
        yield servers


def _system(name: str, workers: int) -> System:
    lectern = with_workers(all_systems()["lectern"], workers)
    variables = dict(lectern.variables) | {
        "BENCH_WITHOUT": name,
        "LECTERN_DRAIN_S": "0",
        "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}",
    }
    arguments = ("-c", _START, "serve", "--port", "{port}")
    return replace(lectern, arguments=arguments, variables=tuple(variables.items()))


def _measure(
    wrk: str, servers: dict[str, RunningSystem], cases: list[Case], *, rounds: int, seconds: int
) -> dict[tuple[str, Case], str]:
    digits = Digits.load()
    requests = (
        Request("png", "/models/mnist/versions/1", digits.png()),
        Request("oip-binary", "/v2/models/mnist/versions/1/infer", digits.oip_binary(1)),
    )
    measured: dict[tuple[str, Case, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        # The servers take turns within a round, so that a change of the machine affects all of them.
        for _ in range(rounds):
            for name, server in servers.items():
                server.resume()
                for case in cases:
                    for request in requests:
                        server.check(request)
                        close = (("Connection", "close"),) if case.short else ()
                        load = run_wrk(
                            wrk,
                            server.url(request),
                            replace(request.payload, headers=(*request.payload.headers, *close)),
                            connections=case.connections,
                            seconds=seconds,
                            folder=Path(folder),
                        )
                        measured.setdefault((name, case, request.protocol), []).append(load.rate)
                server.pause()
        for server in servers.values():
            server.resume()
    return {
        (name, case): " / ".join(
            f"{statistics.median(measured[name, case, request.protocol]):,.0f}" for request in requests
        )
        for name in servers
        for case in cases
    }
