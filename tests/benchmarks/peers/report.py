"""Computes medians, spreads and ratios from the results, and formats the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from peers.results import BaselineKey, LoadKey, Results
from peers.wrk import LoadResult

CATS = "cats_vs_dogs"
CONNECTIONS = (1, 16, 64)
USUAL_CONNECTIONS = 16
_MAX_FAILED = 0.01
_TITLES = {
    "png": "one PNG",
    "oip-json": "OIP, JSON",
    "oip-binary": "OIP, binary",
    "oip-binary-64": "OIP, binary, 64 pictures",
    "empty": "empty route",
}


@dataclass(frozen=True)
class Target:
    """A figure that has to be reached.

    Attributes:
        text: What is measured.
        required: The bound, as text.
        value: The measured figure; None if not measured.
        shown: ``value`` as text.
        met: Whether it keeps the bound.
    """

    text: str
    required: str
    value: float | None
    shown: str
    met: bool


def rate_ratio(results: Results, over: LoadKey, under: LoadKey) -> float | None:
    """Return the median over the rounds of one rate divided by the other of the same round.

    None if one of them was not measured, or failed more than 1 % of its requests.
    """
    overs, unders = results.loads.get(over, ()), results.loads.get(under, ())
    if _failed(overs) > _MAX_FAILED or _failed(unders) > _MAX_FAILED:
        return None
    ratios = [one.rate / other.rate for one, other in zip(overs, unders, strict=False) if other.rate > 0]
    return median(ratios) if ratios else None


def baseline_ratio(results: Results, key: LoadKey, baseline: BaselineKey, *, pictures: int) -> float | None:
    """Return the median over the rounds of served pictures per second divided by those of ONNX Runtime."""
    pairs = zip(results.loads.get(key, ()), results.baselines.get(baseline, ()), strict=False)
    ratios = [load.rate * pictures / alone.rate for load, alone in pairs]
    return median(ratios) if ratios else None


def overhead_ms(results: Results, protocol: str) -> float | None:
    """Return the median over the rounds of what serving adds to one picture, at one connection, in ms."""
    loads = results.loads.get(LoadKey("lectern", protocol, 1), ())
    alone = results.baselines.get(BaselineKey("mnist", 1, 1), ())
    added = [load.p50_ms - one.call_ms for load, one in zip(loads, alone, strict=False)]
    return median(added) if added else None


def tail_ratio(results: Results, protocol: str) -> float | None:
    """Return the median over the rounds of 99th percentile divided by median latency, at half the rate."""
    rounds = results.fixed_rates.get(protocol, ())
    ratios = [row.p99_ms / row.p50_ms for row in rounds if row.p50_ms > 0]
    return median(ratios) if ratios else None


def targets(results: Results) -> list[Target]:
    """Return all figures that have to be reached."""
    rows = [
        _peer_target(results, "png", "bentoml", at_least=10),
        _peer_target(results, "png", "litserve", at_least=4),
        _peer_target(results, "oip-json", "mlserver", at_least=5),
        _peer_target(results, "oip-binary", "triton", at_least=3),
        _peer_target(results, "png", "fastapi", at_least=1.5),
    ]
    for system, processes in (("lectern", 2), ("lectern-1", 1)):
        key = LoadKey(system, "oip-binary-64", USUAL_CONNECTIONS)
        ratio = baseline_ratio(results, key, BaselineKey("mnist", 64, processes), pictures=64)
        text = f"64 pictures a request, against ONNX Runtime in process, {processes} thread(s)"
        rows.append(_target(text, ratio, at_least=0.88))
    for protocol, limit in (("oip-binary", 0.7), ("png", 1.0)):
        text = f"added to the network's own time, {_TITLES[protocol]}, one connection"
        rows.append(_target(text, overhead_ms(results, protocol), at_most=limit, unit=" ms"))
    for protocol in ("oip-binary", "png"):
        text = f"99th percentile over median at half the highest rate, {_TITLES[protocol]}"
        rows.append(_target(text, tail_ratio(results, protocol), at_most=5))
    best = _best_cats(results)
    for protocol, title in (("cats-tensor", "tensors"), ("cats-jpeg", "JPEG files")):
        key = LoadKey("lectern", protocol, USUAL_CONNECTIONS)
        ratio = baseline_ratio(results, key, best, pictures=1) if best else None
        text = f"{best.model if best else CATS}, {title}, against ONNX Runtime in process at its best batch"
        rows.append(_target(text, ratio, at_least=0.9))
    info = results.systems.get("lectern-1") or results.systems.get("lectern")
    memory = median(info.worker_mb) if info and info.worker_mb else None
    start = median(info.ready_s) if info and info.ready_s else None
    rows.append(_target("memory of a worker with all models (PSS)", memory, at_most=250, unit=" MB"))
    rows.append(_target("start of the process to ready", start, at_most=4, unit=" s"))
    return rows


def markdown(results: Results) -> str:
    """Return the report: the targets, then all rates, then the baselines."""
    rounds = max((len(rows) for rows in results.loads.values()), default=0)
    parts = [
        f"{results.machine}; {', '.join(results.dates)}; medians of {rounds} rounds of "
        f"{results.seconds:g} s, lowest to highest in brackets. The load generator runs on the same cores. "
        "Processor: time of all processes of a system for one response. "
        "A system that failed more than 1 % of its requests has no ratio.",
        _targets_table(results),
        _loads_table(results),
        _baselines_table(results),
    ]
    parts += [f"Skipped: {name} ({reason})." for name, reason in results.skipped.items()]
    return "\n\n".join(parts)


def median_rates(results: Results, protocol: str) -> list[tuple[str, float]]:
    """Return title and median requests per second of each system for a protocol, fastest first."""
    rows = [
        (results.systems[key.system].title, median(load.rate for load in loads))
        for key, loads in results.loads.items()
        if key.protocol == protocol
        and key.connections == USUAL_CONNECTIONS
        and key.system in results.systems
        and _failed(loads) <= _MAX_FAILED
    ]
    return sorted(rows, key=lambda row: -row[1])


def _targets_table(results: Results) -> str:
    rows = [f"| {row.text} | {row.required} | {row.shown} | {_verdict(row)} |" for row in targets(results)]
    head = ["| measure (mnist 1, 16 connections unless said) | required | measured | |", "|---|--:|--:|---|"]
    return "\n".join(head + rows)


def _loads_table(results: Results) -> str:
    lines = [
        "| system | workers | request | requests/s at 1 | at 16 | at 64 | median / 99 % at 16 | processor "
        "| failed | Lectern : it |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for protocol, title in _TITLES.items():
        for name, info in results.systems.items():
            rounds = [results.loads.get(LoadKey(name, protocol, count), ()) for count in CONNECTIONS]
            usual = rounds[CONNECTIONS.index(USUAL_CONNECTIONS)]
            if not usual:
                continue
            keys = [LoadKey(system, protocol, USUAL_CONNECTIONS) for system in ("lectern", name)]
            failed = max(map(_failed, rounds))
            ratio = rate_ratio(results, *keys) if failed <= _MAX_FAILED else None
            lines.append(
                f"| {info.title} | {info.workers} | {title} | {' | '.join(map(_rates, rounds))} "
                f"| {median(load.p50_ms for load in usual):.2f} / "
                f"{median(load.p99_ms for load in usual):.1f} ms "
                f"| {median(load.cpu_us for load in usual):,.0f} µs "
                f"| {failed:.1%} | {'–' if ratio is None else f'{ratio:.2f}'} |"
            )
    return "\n".join(lines)


def _baselines_table(results: Results) -> str:
    lines = ["| ONNX Runtime in process | batch | threads | one call | pictures/s |", "|---|--:|--:|--:|--:|"]
    for key, rounds in results.baselines.items():
        lines.append(
            f"| {key.model} | {key.batch} | {key.processes} "
            f"| {median(row.call_ms for row in rounds):.3f} ms | {_spread([row.rate for row in rounds])} |"
        )
    return "\n".join(lines)


def _peer_target(results: Results, protocol: str, peer: str, *, at_least: float) -> Target:
    title = results.systems[peer].title if peer in results.systems else peer
    keys = [LoadKey(system, protocol, USUAL_CONNECTIONS) for system in ("lectern", peer)]
    text = f"{_TITLES[protocol]}, requests/s against {title}"
    return _target(text, rate_ratio(results, *keys), at_least=at_least)


def _target(
    text: str,
    value: float | None,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = " ×",
) -> Target:
    sign, bound = ("≥", at_least) if at_least is not None else ("≤", at_most)
    assert bound is not None
    met = value is not None and (value >= bound if at_least is not None else value <= bound)
    shown = "–" if value is None else f"{value:.{_digits(value)}f}{unit}"
    return Target(text, f"{sign} {bound:g}{unit}", value, shown, met)


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 10 else 2


def _verdict(row: Target) -> str:
    return "" if row.value is None else "met" if row.met else "missed"


def _best_cats(results: Results) -> BaselineKey | None:
    """Return the best batch of cats_vs_dogs: the one that was measured in every round."""
    rows = [(len(rounds), key) for key, rounds in results.baselines.items() if key.model.startswith(CATS)]
    return max(rows, key=lambda row: row[0])[1] if rows else None


def _failed(rounds: Sequence[LoadResult]) -> float:
    return max((load.failed for load in rounds), default=0.0)


def _rates(rounds: Sequence[LoadResult]) -> str:
    return _spread([load.rate for load in rounds]) if rounds else "–"


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"
