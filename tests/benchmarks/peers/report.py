"""Owns what the figures say: medians, spreads, ratios, and whether each measure is what it must be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from peers.figures import Bare, Cell, Figures
from peers.load import Load

CATS = "cats_vs_dogs"
CONNECTIONS = (1, 16, 64)
_USUAL = 16
_DIALECTS = {
    "png": "one PNG",
    "oip-json": "OIP, JSON",
    "oip-binary": "OIP, binary",
    "oip-binary-64": "OIP, binary, 64 pictures",
    "empty": "empty route",
}


@dataclass(frozen=True)
class Measure:
    """One line of what must be reached.

    Attributes:
        text: What is measured.
        required: In words.
        value: Measured; None where it was not.
        shown: ``value`` as text.
        met: Whether it is what is required.
    """

    text: str
    required: str
    value: float | None
    shown: str
    met: bool


def rate_ratio(figures: Figures, over: Cell, under: Cell) -> float | None:
    """Return the median over the rounds of one cell's rate divided by another's in the same round."""
    pairs = zip(figures.loads.get(over, ()), figures.loads.get(under, ()), strict=False)
    ratios = [one.rate / other.rate for one, other in pairs if other.rate > 0]
    return median(ratios) if ratios else None


def limit_ratio(figures: Figures, cell: Cell, bare: Bare, *, pictures: int) -> float | None:
    """Return the median over the rounds of a cell's pictures a second divided by those in process."""
    pairs = zip(figures.loads.get(cell, ()), figures.limits.get(bare, ()), strict=False)
    ratios = [load.rate * pictures / limit.rate for load, limit in pairs]
    return median(ratios) if ratios else None


def added_ms(figures: Figures, dialect: str) -> float | None:
    """Return the median over the rounds of what serving adds to a lone picture, at one connection."""
    loads, limits = figures.loads.get(Cell("lectern", dialect, 1), ()), figures.limits.get(_alone(), ())
    extra = [load.p50_ms - limit.call_ms for load, limit in zip(loads, limits, strict=False)]
    return median(extra) if extra else None


def tail_ratio(figures: Figures, dialect: str) -> float | None:
    """Return the median over the rounds of the 99th percentile divided by the median, at half the rate."""
    ratios = [row.p99_ms / row.p50_ms for row in figures.paces.get(dialect, ()) if row.p50_ms > 0]
    return median(ratios) if ratios else None


def measures(figures: Figures) -> list[Measure]:
    """Return each measure with what is required of it."""
    rows = [
        _peer_measure(figures, "png", "bentoml", at_least=10),
        _peer_measure(figures, "png", "litserve", at_least=4),
        _peer_measure(figures, "oip-json", "mlserver", at_least=5),
        _peer_measure(figures, "oip-binary", "triton", at_least=3),
        _peer_measure(figures, "png", "fastapi", at_least=1.5),
    ]
    for system, processes in (("lectern", 2), ("lectern-1", 1)):
        cell = Cell(system, "oip-binary-64", _USUAL)
        ratio = limit_ratio(figures, cell, Bare("mnist", 64, processes), pictures=64)
        text = f"64 pictures a request, against ONNX Runtime in process, {processes} thread(s)"
        rows.append(_measure(text, ratio, at_least=0.88))
    for dialect, limit in (("oip-binary", 0.7), ("png", 1.0)):
        text = f"added to the network's own time, {_DIALECTS[dialect]}, one connection"
        rows.append(_measure(text, added_ms(figures, dialect), at_most=limit, unit=" ms"))
    for dialect in ("oip-binary", "png"):
        text = f"99th percentile over median at half the highest rate, {_DIALECTS[dialect]}"
        rows.append(_measure(text, tail_ratio(figures, dialect), at_most=5))
    best = _best_of_cats(figures)
    for dialect, words in (("cats-tensor", "tensors"), ("cats-jpeg", "JPEG files")):
        ratio = limit_ratio(figures, Cell("lectern", dialect, _USUAL), best, pictures=1) if best else None
        text = f"{best.model if best else CATS}, {words}, against ONNX Runtime in process at its best batch"
        rows.append(_measure(text, ratio, at_least=0.9))
    about = figures.systems.get("lectern-1") or figures.systems.get("lectern")
    memory = median(about.worker_mb) if about and about.worker_mb else None
    start = median(about.ready_s) if about and about.ready_s else None
    rows.append(_measure("memory of a worker with all models (PSS)", memory, at_most=250, unit=" MB"))
    rows.append(_measure("start of the process to ready", start, at_most=4, unit=" s"))
    return rows


def markdown(figures: Figures) -> str:
    """Return the report: what must be reached, then every cell, then the bare limits."""
    rounds = max((len(rows) for rows in figures.loads.values()), default=0)
    parts = [
        f"{figures.machine}; {', '.join(figures.dates)}; medians of {rounds} rounds of "
        f"{figures.seconds:g} s, lowest to highest in brackets. The load generator runs on the same cores. "
        "Processor: time of all of a system's processes for one answer.",
        _measures_table(figures),
        _loads_table(figures),
        _limits_table(figures),
    ]
    parts += [f"Left out: {name} ({reason})." for name, reason in figures.left_out.items()]
    return "\n\n".join(parts)


def rates(figures: Figures, dialect: str) -> list[tuple[str, float]]:
    """Return title and median requests a second of each system that speaks a dialect, fastest first."""
    rows = [
        (figures.systems[cell.system].title, median(load.rate for load in loads))
        for cell, loads in figures.loads.items()
        if cell.dialect == dialect and cell.connections == _USUAL and cell.system in figures.systems
    ]
    return sorted(rows, key=lambda row: -row[1])


def _measures_table(figures: Figures) -> str:
    rows = [f"| {row.text} | {row.required} | {row.shown} | {_verdict(row)} |" for row in measures(figures)]
    head = ["| measure (mnist 1, 16 connections unless said) | required | measured | |", "|---|--:|--:|---|"]
    return "\n".join(head + rows)


def _loads_table(figures: Figures) -> str:
    lines = [
        "| system | workers | request | requests/s at 1 | at 16 | at 64 | median / 99 % at 16 | processor "
        "| failed | Lectern : it |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for dialect, words in _DIALECTS.items():
        for name, about in figures.systems.items():
            cells = [figures.loads.get(Cell(name, dialect, count)) for count in CONNECTIONS]
            usual = cells[CONNECTIONS.index(_USUAL)]
            if not usual:
                continue
            ours = rate_ratio(figures, Cell("lectern", dialect, _USUAL), Cell(name, dialect, _USUAL))
            lines.append(
                f"| {about.title} | {about.workers} | {words} | {' | '.join(map(_shown_rate, cells))} "
                f"| {_middle(usual, _p50):.2f} / {_middle(usual, _p99):.1f} ms "
                f"| {_middle(usual, _cpu):,.0f} µs "
                f"| {_worst_failure(cells):.1%} | {'' if ours is None else f'{ours:.2f}'} |"
            )
    return "\n".join(lines)


def _limits_table(figures: Figures) -> str:
    lines = ["| ONNX Runtime in process | batch | threads | one call | pictures/s |", "|---|--:|--:|--:|--:|"]
    for bare, rounds in figures.limits.items():
        rates_ = [limit.rate for limit in rounds]
        lines.append(
            f"| {bare.model} | {bare.batch} | {bare.processes} "
            f"| {median(row.call_ms for row in rounds):.3f} ms | {_shown(rates_)} |"
        )
    return "\n".join(lines)


def _peer_measure(figures: Figures, dialect: str, peer: str, *, at_least: float) -> Measure:
    title = figures.systems[peer].title if peer in figures.systems else peer
    ratio = rate_ratio(figures, Cell("lectern", dialect, _USUAL), Cell(peer, dialect, _USUAL))
    return _measure(f"{_DIALECTS[dialect]}, requests/s against {title}", ratio, at_least=at_least)


def _measure(
    text: str,
    value: float | None,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = " ×",
) -> Measure:
    sign, bound = ("≥", at_least) if at_least is not None else ("≤", at_most)
    assert bound is not None
    met = value is not None and (value >= bound if at_least is not None else value <= bound)
    shown = "not measured" if value is None else f"{value:.{_digits(value)}f}{unit}"
    return Measure(text, f"{sign} {bound:g}{unit}", value, shown, met)


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 10 else 2


def _verdict(row: Measure) -> str:
    return "" if row.value is None else "met" if row.met else "missed"


def _alone() -> Bare:
    return Bare("mnist", 1, 1)


def _best_of_cats(figures: Figures) -> Bare | None:
    """Return the batch that was measured in every round, which is the one that was best beforehand."""
    rows = [(len(rounds), bare) for bare, rounds in figures.limits.items() if bare.model.startswith(CATS)]
    return max(rows, key=lambda row: row[0])[1] if rows else None


def _p50(load: Load) -> float:
    return load.p50_ms


def _p99(load: Load) -> float:
    return load.p99_ms


def _cpu(load: Load) -> float:
    return load.cpu_us


def _middle(rounds: Sequence[Load], pick: Callable[[Load], float]) -> float:
    return median(map(pick, rounds))


def _worst_failure(cells: Sequence[Sequence[Load] | None]) -> float:
    return max(load.failed for rounds in cells for load in rounds or ())


def _shown_rate(rounds: Sequence[Load] | None) -> str:
    return _shown([load.rate for load in rounds]) if rounds else "–"


def _shown(values: Sequence[float]) -> str:
    return f"{median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"
