"""Runs the benchmark: starts all systems, then measures one system at a time, round after round."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from peers import baseline
from peers.environment import build
from peers.errors import PeerError
from peers.fixed_rate import run_at_fixed_rate
from peers.processes import RunningSystem, running, send
from peers.protocols import cat_jpeg, cat_tensor, empty
from peers.report import CATS, CONNECTIONS, USUAL_CONNECTIONS
from peers.results import BaselineKey, LoadKey, Results, SystemInfo, describe_machine
from peers.systems import MODEL, ROOT, Request, System, all_systems
from peers.wrk import LoadResult, find_wrk, run_wrk

Log = Callable[[str], None]

_CAT_BATCHES = (1, 2, 4, 8, 16)
_CAT_SIDE = 180
# After a pause, a system needs a moment for its periodic work.
_SETTLE_S = 0.1
_SETTLE_TIMEOUT_S = 20


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        names: Names of the systems.
        rounds: Number of repetitions.
        seconds: Duration of one measurement.
        folder: For environments, logs and bodies.
    """

    names: tuple[str, ...]
    rounds: int
    seconds: int
    folder: Path


def run(plan: Plan, *, log: Log) -> Results:
    """Measure.

    Raises:
        BenchmarkError: wrk is missing or fails, or Lectern itself cannot be started. A peer that cannot be
            started is skipped.
    """
    benchmark = _Benchmark(plan, find_wrk(), Results(describe_machine(), [_today()], plan.seconds), log)
    with ExitStack() as stack:
        systems = benchmark.start(stack)
        for number in range(plan.rounds):
            log(f"round {number + 1} of {plan.rounds}")
            benchmark.measure_baselines()
            for connections in CONNECTIONS:
                for system in systems:
                    benchmark.measure_load(system, connections)
            benchmark.measure_lectern(systems[0])
        benchmark.measure_memory(systems)
    return benchmark.results


@dataclass
class _Benchmark:
    plan: Plan
    wrk: str
    results: Results
    log: Log
    cats: tuple[str, Path] = ("", Path())
    best_cats: BaselineKey | None = None

    def start(self, stack: ExitStack) -> list[RunningSystem]:
        """Build and start the systems one by one; each is paused after it has responded correctly."""
        started = []
        logs = self.plan.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        known = all_systems()
        for name in self.plan.names:
            self.log(f"building and starting {name}")
            try:
                one = self._start(stack, known[name], logs)
            except PeerError as error:
                if name == "lectern":
                    raise
                self.log(f"skipped: {error}")
                self.results.skipped[name] = str(error)
                continue
            if name == "lectern":
                self.cats = _served_cats(one.port)
            one.pause()
            started.append(one)
        return started

    def measure_baselines(self) -> None:
        """Measure ONNX Runtime alone. The best batch of cats_vs_dogs is found in the first round."""
        for batch in (1, 64):
            for processes in (1, 2):
                self._baseline(BaselineKey("mnist", batch, processes), MODEL)
        name, model = self.cats
        if self.best_cats is None:
            candidates = [BaselineKey(name, batch, 2) for batch in _CAT_BATCHES]
            self.best_cats = max(candidates, key=lambda key: self._baseline(key, model))
        else:
            self._baseline(self.best_cats, model)

    def measure_load(self, one: RunningSystem, connections: int) -> None:
        """Measure all requests of a system at full speed."""
        with _resumed(one):
            for request in one.system.requests:
                self._load(one, request, connections)

    def measure_lectern(self, lectern: RunningSystem) -> None:
        """Measure Lectern at half its highest rate, and with photos."""
        with _resumed(lectern):
            for request in lectern.system.requests:
                if request.protocol in ("png", "oip-binary"):
                    result = run_at_fixed_rate(
                        lectern.port,
                        request.path,
                        request.payload,
                        rate=self._highest_rate(request.protocol) / 2,
                        seconds=self.plan.seconds + 1,
                    )
                    self.results.fixed_rates.setdefault(request.protocol, []).append(result)
            for request in _cat_requests():
                lectern.check(request)
                self._load(lectern, request, USUAL_CONNECTIONS)

    def measure_memory(self, systems: list[RunningSystem]) -> None:
        """Store the memory of Lectern's largest worker, after the load."""
        for one in systems:
            if not one.system.environment:
                info = self.results.systems[one.system.name]
                largest = max(one.worker_memory_mb())
                self.results.systems[one.system.name] = replace(info, worker_mb=(largest,))

    def _start(self, stack: ExitStack, system: System, logs: Path) -> RunningSystem:
        environment = system.environment
        python = build(environment, self.plan.folder) if environment else Path(sys.executable)
        one = stack.enter_context(running(system, python, logs))
        for request in system.requests:
            one.check(request)
        for request in system.requests:
            self._wrk(one, request, USUAL_CONNECTIONS, seconds=1)
        self.results.systems[system.name] = SystemInfo(system.title, system.workers, (one.ready_s,))
        return one

    def _baseline(self, key: BaselineKey, model: Path) -> float:
        """Measure one baseline; return its inputs per second."""
        result = baseline.measure(model, batch=key.batch, processes=key.processes, seconds=self.plan.seconds)
        self.results.baselines.setdefault(key, []).append(result)
        return result.rate

    def _load(self, one: RunningSystem, request: Request, connections: int) -> None:
        before = one.cpu_s()
        load = self._wrk(one, request, connections, seconds=self.plan.seconds)
        load = replace(load, cpu_us=(one.cpu_s() - before) / max(load.requests, 1) * 1e6)
        key = LoadKey(one.system.name, request.protocol, connections)
        self.results.loads.setdefault(key, []).append(load)

    def _wrk(self, one: RunningSystem, request: Request, connections: int, *, seconds: int) -> LoadResult:
        url, folder = one.url(request), self.plan.folder
        return run_wrk(
            self.wrk, url, request.payload, connections=connections, seconds=seconds, folder=folder
        )

    def _highest_rate(self, protocol: str) -> float:
        rates = [self.results.loads[LoadKey("lectern", protocol, count)][-1].rate for count in CONNECTIONS]
        return max(1.0, *rates)


@contextmanager
def _resumed(one: RunningSystem) -> Iterator[None]:
    """Let a system run during the block."""
    one.resume()
    try:
        _wait_until_settled(one)
        yield
    finally:
        one.pause()


def _wait_until_settled(one: RunningSystem) -> None:
    """Wait until a system responds again: some take a pause for a crash, and start new workers."""
    end = time.monotonic() + _SETTLE_TIMEOUT_S
    while True:
        time.sleep(_SETTLE_S)
        try:
            one.check(one.system.requests[0])
        except PeerError:
            if time.monotonic() > end:
                raise
        else:
            return


def _cat_requests() -> tuple[Request, Request]:
    return (
        Request("cats-tensor", "/v2/models/cats_vs_dogs/infer", cat_tensor(_CAT_SIDE)),
        Request("cats-jpeg", "/models/cats_vs_dogs", cat_jpeg()),
    )


def _served_cats(port: int) -> tuple[str, Path]:
    """Return name and file of the network that Lectern runs for cats_vs_dogs on this machine."""
    card = json.loads(send(port, "/models/cats_vs_dogs", empty())[1])
    folder = ROOT / "models" / "cats_vs_dogs" / str(card["version"])
    if card["precision"] == "int8":
        return f"{CATS} in 8 bits", folder / "model.int8.onnx"
    return CATS, folder / "model.onnx"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
