"""Owns the raw figures of a run: every round of every cell, kept as JSON."""

import dataclasses
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers.faults import BenchError
from peers.limits import Limit
from peers.load import Load
from peers.pace import Paced


@dataclass(frozen=True)
class Cell:
    """What was loaded; its rounds are :class:`Load`.

    Attributes:
        system: Name.
        dialect: As :class:`peers.systems.Ask` has it, or ``cats-tensor`` and ``cats-jpeg``.
        connections: At once.
    """

    system: str
    dialect: str
    connections: int


@dataclass(frozen=True)
class Bare:
    """What ONNX Runtime was given in process; its rounds are :class:`Limit`.

    Attributes:
        model: Name.
        batch: Inputs in a call.
        processes: At once, one thread each.
    """

    model: str
    batch: int
    processes: int


@dataclass(frozen=True)
class About:
    """What is known of a system besides its speed.

    Attributes:
        title: For people.
        workers: Processes or threads that run the network.
        ready_s: Seconds from its start to ready, one for each run.
        worker_mb: Proportional set size of its largest worker in MB, one for each run; Lectern's only.
    """

    title: str
    workers: int
    ready_s: tuple[float, ...]
    worker_mb: tuple[float, ...] = ()


@dataclass
class Figures:
    """Everything that one run measured, or several one after the other.

    Attributes:
        machine: In words.
        dates: Of the runs, as ISO 8601 days.
        seconds: Length of one round of one cell.
        systems: By name; those that were measured.
        left_out: By name, with the reason.
        loads: Rounds at full speed.
        paces: Rounds at half the highest rate, by dialect; Lectern's only.
        limits: Rounds in process.
    """

    machine: str
    dates: list[str]
    seconds: float
    systems: dict[str, About] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    loads: dict[Cell, list[Load]] = field(default_factory=dict)
    paces: dict[str, list[Paced]] = field(default_factory=dict)
    limits: dict[Bare, list[Limit]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the figures as JSON, one line for each cell."""

        def rows(table: dict[Any, Sequence[Any]]) -> list[dict[str, Any]]:
            return [
                {**dataclasses.asdict(key), "rounds": [_rounded(row) for row in values]}
                for key, values in table.items()
            ]

        document = {
            "machine": self.machine,
            "dates": self.dates,
            "seconds": self.seconds,
            "systems": {name: dataclasses.asdict(about) for name, about in self.systems.items()},
            "left_out": self.left_out,
            "loads": rows(self.loads),
            "paces": {name: [_rounded(row) for row in values] for name, values in self.paces.items()},
            "limits": rows(self.limits),
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def read_figures(path: Path) -> Figures:
    """Read what :meth:`Figures.to_json` gave.

    Raises:
        BenchError: The file is not such a one.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Figures(
            machine=document["machine"],
            dates=document["dates"],
            seconds=document["seconds"],
            systems={name: _about(row) for name, row in document["systems"].items()},
            left_out=document["left_out"],
            loads={
                Cell(row["system"], row["dialect"], row["connections"]): [
                    Load(**one) for one in row["rounds"]
                ]
                for row in document["loads"]
            },
            paces={name: [Paced(**one) for one in rows] for name, rows in document["paces"].items()},
            limits={
                Bare(row["model"], row["batch"], row["processes"]): [Limit(**one) for one in row["rounds"]]
                for row in document["limits"]
            },
        )
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path}: is no result of ./run bench peers ({error!r})") from error


def merged(runs: Sequence[Figures]) -> Figures:
    """Put runs on one machine together: the rounds of each cell, one run after the other.

    Raises:
        BenchError: They are of different machines.
    """
    machines = {run.machine for run in runs}
    if len(machines) != 1:
        raise BenchError(f"runs of one machine only can be put together, not of {' and '.join(machines)}")
    whole = Figures(runs[0].machine, [], runs[0].seconds)
    for run in runs:
        whole.dates += [date for date in run.dates if date not in whole.dates]
        whole.left_out |= run.left_out
        for name, about in run.systems.items():
            known = whole.systems.get(name)
            whole.systems[name] = about if known is None else _joined(known, about)
        for key, rounds in run.loads.items():
            whole.loads.setdefault(key, []).extend(rounds)
        for dialect, paces in run.paces.items():
            whole.paces.setdefault(dialect, []).extend(paces)
        for bare, limits in run.limits.items():
            whole.limits.setdefault(bare, []).extend(limits)
    return whole


def machine() -> str:
    """Return this machine in words: processor, cores, memory, system."""
    cpu = platform.processor() or platform.machine()
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    cores = sum(line.startswith("processor") for line in _lines("/proc/cpuinfo"))
    memory = next(
        (int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    system = f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    return f"{cpu}, {cores} cores, {memory / 1e6:.0f} GB, {system}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _rounded(row: Any) -> dict[str, float]:
    return {name: round(value, 4) for name, value in dataclasses.asdict(row).items()}


def _about(row: dict[str, Any]) -> About:
    return About(row["title"], row["workers"], tuple(row["ready_s"]), tuple(row["worker_mb"]))


def _joined(known: About, more: About) -> About:
    return dataclasses.replace(
        more, ready_s=known.ready_s + more.ready_s, worker_mb=known.worker_mb + more.worker_mb
    )
