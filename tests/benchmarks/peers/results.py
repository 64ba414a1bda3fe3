"""Stores the results of all rounds as JSON."""

import dataclasses
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from peers.baseline import BaselineResult
from peers.errors import BenchmarkError
from peers.fixed_rate import FixedRateResult
from peers.wrk import LoadResult


@dataclass(frozen=True)
class LoadKey:
    """What was measured at full speed.

    Attributes:
        system: Name.
        protocol: As in :class:`peers.systems.Request`, or ``cats-tensor`` or ``cats-jpeg``.
        connections: Number of concurrent connections.
    """

    system: str
    protocol: str
    connections: int


@dataclass(frozen=True)
class BaselineKey:
    """What was measured with ONNX Runtime alone.

    Attributes:
        model: Name.
        batch: Inputs in a call.
        processes: Number of concurrent processes with one thread each.
    """

    model: str
    batch: int
    processes: int


@dataclass(frozen=True)
class SystemInfo:
    """Properties of a system besides its speed.

    Attributes:
        title: Title in tables.
        workers: Processes or threads that run the network.
        ready_s: Seconds from start to ready, one for each run.
        worker_mb: Proportional set size of the largest worker in MB, one for each run; for Lectern only.
    """

    title: str
    workers: int
    ready_s: tuple[float, ...]
    worker_mb: tuple[float, ...] = ()


@dataclass
class Results:
    """The results of one run, or of several runs in succession.

    Attributes:
        machine: Description.
        dates: Dates of the runs, ISO 8601.
        seconds: Duration of one measurement.
        systems: Measured systems by name.
        skipped: Other systems by name, with the reason.
        loads: Rounds at full speed.
        fixed_rates: Rounds at half the highest rate, by protocol; for Lectern only.
        baselines: Rounds of ONNX Runtime alone.
    """

    machine: str
    dates: list[str]
    seconds: float
    systems: dict[str, SystemInfo] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    loads: dict[LoadKey, list[LoadResult]] = field(default_factory=dict)
    fixed_rates: dict[str, list[FixedRateResult]] = field(default_factory=dict)
    baselines: dict[BaselineKey, list[BaselineResult]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the results as JSON."""

        def rows(table: dict[Any, Sequence[Any]]) -> list[dict[str, Any]]:
            return [
                {**dataclasses.asdict(key), "rounds": [_rounded(row) for row in values]}
                for key, values in table.items()
            ]

        document = {
            "machine": self.machine,
            "dates": self.dates,
            "seconds": self.seconds,
            "systems": {name: dataclasses.asdict(info) for name, info in self.systems.items()},
            "skipped": self.skipped,
            "loads": rows(self.loads),
            "fixed_rates": {
                name: [_rounded(row) for row in values] for name, values in self.fixed_rates.items()
            },
            "baselines": rows(self.baselines),
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def read_results(path: Path) -> Results:
    """Read a file with the output of :meth:`Results.to_json`.

    Raises:
        BenchmarkError: The file is not a result.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Results(
            machine=document["machine"],
            dates=document["dates"],
            seconds=document["seconds"],
            systems={
                name: SystemInfo(row["title"], row["workers"], tuple(row["ready_s"]), tuple(row["worker_mb"]))
                for name, row in document["systems"].items()
            },
            skipped=document["skipped"],
            loads=_table(document["loads"], LoadKey, LoadResult),
            fixed_rates={
                name: [FixedRateResult(**row) for row in rows]
                for name, rows in document["fixed_rates"].items()
            },
            baselines=_table(document["baselines"], BaselineKey, BaselineResult),
        )
    except OSError as error:
        raise BenchmarkError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path}: is not a result of ./run bench peers ({error!r})") from error


def merge(runs: Sequence[Results]) -> Results:
    """Combine runs on one machine: the rounds of each measurement, one run after the other.

    Raises:
        BenchmarkError: They are of different machines.
    """
    machines = {run.machine for run in runs}
    if len(machines) != 1:
        raise BenchmarkError(f"runs of different machines cannot be combined: {' and '.join(machines)}")
    merged = Results(runs[0].machine, [], runs[0].seconds)
    for run in runs:
        merged.dates += [date for date in run.dates if date not in merged.dates]
        merged.skipped |= run.skipped
        for name, info in run.systems.items():
            known = merged.systems.get(name)
            merged.systems[name] = info if known is None else _joined(known, info)
        for key, loads in run.loads.items():
            merged.loads.setdefault(key, []).extend(loads)
        for protocol, rates in run.fixed_rates.items():
            merged.fixed_rates.setdefault(protocol, []).extend(rates)
        for baseline, results in run.baselines.items():
            merged.baselines.setdefault(baseline, []).extend(results)
    return merged


def describe_machine() -> str:
    """Return processor, cores, memory and system of this machine."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")  # platform.processor() is empty on most Linux systems
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = psutil.virtual_memory().total / 1e9
    system = f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    return f"{cpu}, {psutil.cpu_count()} cores, {memory:.0f} GB, {system}"


def _table(rows: list[dict[str, Any]], key: type[Any], result: type[Any]) -> dict[Any, list[Any]]:
    """Return the rounds by key, from rows that hold the fields of the key and the rounds."""
    table = {}
    for row in rows:
        rounds = row.pop("rounds")
        table[key(**row)] = [result(**one) for one in rounds]
    return table


def _rounded(row: Any) -> dict[str, float]:
    return {name: round(value, 4) for name, value in dataclasses.asdict(row).items()}


def _joined(known: SystemInfo, more: SystemInfo) -> SystemInfo:
    return dataclasses.replace(
        more, ready_s=known.ready_s + more.ready_s, worker_mb=known.worker_mb + more.worker_mb
    )
