"""Owns the course of a run: build, start, warm, and then round after round, one system at a time."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from peers import limits
from peers.dialects import cat_jpeg, cat_tensor, nothing
from peers.environment import build
from peers.faults import PeerError
from peers.figures import About, Bare, Cell, Figures, machine
from peers.load import Load, find_wrk, run_wrk
from peers.pace import run_paced
from peers.report import CATS, CONNECTIONS
from peers.running import Running, exchange, proportional_mb, running
from peers.systems import MODEL, ROOT, Ask, all_systems, python_of

Say = Callable[[str], None]

_USUAL = 16
_CAT_BATCHES = (1, 2, 4, 8, 16)
_CAT_SIDE = 180
# After a pause a system gets a moment for what it does on a clock.
_SETTLES_S = 0.1
_SETTLES_WITHIN_S = 20


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        names: Of the systems.
        rounds: How often.
        seconds: Length of one measurement.
        folder: For environments, logs and bodies.
    """

    names: tuple[str, ...]
    rounds: int
    seconds: int
    folder: Path


def run(plan: Plan, *, say: Say) -> Figures:
    """Measure.

    Raises:
        BenchError: wrk is missing or fails, or Lectern itself cannot be started; a peer that cannot is left
            out, and said to be.
    """
    course = _Course(plan, find_wrk(), Figures(machine(), [_today()], plan.seconds), say)
    with ExitStack() as stack:
        systems = course.start(stack)
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            course.limits()
            for connections in CONNECTIONS:
                for system in systems:
                    course.load(system, connections)
            course.special(systems[0])
        course.weigh(systems)
    return course.figures


@dataclass
class _Course:
    plan: Plan
    wrk: str
    figures: Figures
    say: Say
    cats: tuple[str, Path] = ("", Path())
    best_cats: Bare | None = None

    def start(self, stack: ExitStack) -> list[Running]:
        """Build and start the systems one after the other; each is paused once it has answered rightly."""
        started = []
        logs = self.plan.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        known = all_systems()
        for name in self.plan.names:
            system = known[name]
            try:
                self.say(f"building and starting {name}")
                python = python_of(system, lambda environment: build(environment, self.plan.folder))
                one = stack.enter_context(running(system, python, logs))
                for ask in system.asks:
                    one.check(ask)
            except PeerError as error:
                if name == "lectern":
                    raise
                self.say(f"left out: {error}")
                self.figures.left_out[name] = str(error)
                continue
            self.figures.systems[name] = About(system.title, system.workers, (one.ready_s,))
            self._warm(one)
            if name == "lectern":
                self.cats = _served_cats(one.port)
            one.pause()
            started.append(one)
        return started

    def limits(self) -> None:
        """Measure ONNX Runtime in process."""
        for batch in (1, 64):
            for processes in (1, 2):
                self._limit(Bare("mnist", batch, processes), MODEL)
        name, model = self.cats
        if self.best_cats is None:
            tried = [Bare(name, batch, 2) for batch in _CAT_BATCHES]
            self.best_cats = max(tried, key=lambda bare: self._limit(bare, model))
        else:
            self._limit(self.best_cats, model)

    def load(self, one: Running, connections: int) -> None:
        """Measure all that a system is asked, at full speed."""
        with _turn(one):
            for ask in one.system.asks:
                load = self._wrk(one, ask, connections)
                cell = Cell(one.system.name, ask.dialect, connections)
                self.figures.loads.setdefault(cell, []).append(load)

    def special(self, lectern: Running) -> None:
        """Measure Lectern at half its highest rate, and with photos."""
        with _turn(lectern):
            for ask in lectern.system.asks:
                if ask.dialect in ("png", "oip-binary"):
                    half = self._highest_rate(ask.dialect) / 2
                    seconds = self.plan.seconds + 1
                    paced = run_paced(lectern.port, ask.path, ask.post, rate=half, seconds=seconds)
                    self.figures.paces.setdefault(ask.dialect, []).append(paced)
            for ask in _cat_asks():
                lectern.check(ask)
                load = self._wrk(lectern, ask, _USUAL)
                self.figures.loads.setdefault(Cell("lectern", ask.dialect, _USUAL), []).append(load)

    def weigh(self, systems: list[Running]) -> None:
        """Note the memory of Lectern's workers, now that they have worked."""
        for one in systems:
            if not one.system.environment:
                sizes = [proportional_mb(process) for process in one.processes() if _is_worker(process)]
                about = self.figures.systems[one.system.name]
                self.figures.systems[one.system.name] = replace(about, worker_mb=(max(sizes),))

    def _limit(self, bare: Bare, model: Path) -> float:
        """Measure one bare limit; return its inputs a second."""
        limit = limits.measure(model, batch=bare.batch, processes=bare.processes, seconds=self.plan.seconds)
        self.figures.limits.setdefault(bare, []).append(limit)
        return limit.rate

    def _warm(self, one: Running) -> None:
        for ask in one.system.asks:
            run_wrk(self.wrk, one.url(ask), ask.post, connections=_USUAL, seconds=1, folder=self.plan.folder)

    def _wrk(self, one: Running, ask: Ask, connections: int) -> Load:
        before = one.cpu_s()
        load = run_wrk(
            self.wrk,
            one.url(ask),
            ask.post,
            connections=connections,
            seconds=self.plan.seconds,
            folder=self.plan.folder,
        )
        return replace(load, cpu_us=(one.cpu_s() - before) / max(load.requests, 1) * 1e6)

    def _highest_rate(self, dialect: str) -> float:
        rows = [self.figures.loads[Cell("lectern", dialect, count)][-1].rate for count in CONNECTIONS]
        return max(1.0, *rows)


@contextmanager
def _turn(one: Running) -> Iterator[None]:
    """Let one system have the machine for a while."""
    one.go_on()
    try:
        _settle(one)
        yield
    finally:
        one.pause()


def _settle(one: Running) -> None:
    """Wait until a system answers again; some take a pause for a fault, and start workers anew."""
    end = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        time.sleep(_SETTLES_S)
        try:
            one.check(one.system.asks[0])
        except PeerError:
            if time.monotonic() > end:
                raise
        else:
            return


def _cat_asks() -> tuple[Ask, Ask]:
    return (
        Ask("cats-tensor", "/v2/models/cats_vs_dogs/infer", cat_tensor(_CAT_SIDE)),
        Ask("cats-jpeg", "/models/cats_vs_dogs", cat_jpeg()),
    )


def _served_cats(port: int) -> tuple[str, Path]:
    """Return name and file of the network that Lectern answers for cats and dogs with on this machine."""
    card = json.loads(exchange(port, "/models/cats_vs_dogs", nothing())[1])
    folder = ROOT / "models" / "cats_vs_dogs" / str(card["version"])
    if card["precision"] == "int8":
        return f"{CATS} in 8 bits", folder / "model.int8.onnx"
    return CATS, folder / "model.onnx"


def _is_worker(process: int) -> bool:
    with contextlib.suppress(OSError):
        return b"--worker-id" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
