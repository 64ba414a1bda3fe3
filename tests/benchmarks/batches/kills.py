"""Kills workers, a node and the first process of a batch on Ray, and compares it with a plain run."""

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow.parquet as pq
from batches.cluster import RayCluster, ray_cluster
from batches.inputs import LIST, finish, parts, start_batch, write_inputs
from faults.results import Row, at_most
from peers.errors import BenchmarkError

Kind = Literal["worker", "node", "driver"]

_SHARD_SIZE = 100
# Shares of the batch between which kills come: actors have begun, and there is work left to be lost.
_FIRST, _LAST = 0.02, 0.7
_LATEST_S = 0.3  # after a shard appears, about the time that one takes
_BETWEEN = 3  # shards between two kills, so that each hits what works after the one before
_STUCK_S = 240.0


@dataclass(frozen=True)
class Kill:
    """A process to kill.

    Attributes:
        kind: What is killed.
        share: Share of the batch that is done then.
        delay_s: Seconds after that, so that it happens in the middle of a shard.
        choice: From 0 to 1: which of several workers.
    """

    kind: Kind
    share: float
    delay_s: float
    choice: float


def plan(count: int, seed: int) -> list[Kill]:
    """Return kills of all kinds, in a random order, at random moments."""
    chance = random.Random(seed)
    kinds = [get_args(Kind)[number % 3] for number in range(count)]
    chance.shuffle(kinds)
    shares = sorted(chance.uniform(_FIRST, _LAST) for _ in range(count))
    pairs = zip(kinds, shares, strict=True)
    return [Kill(kind, share, chance.uniform(0, _LATEST_S), chance.random()) for kind, share in pairs]


def measure_kills(
    folder: Path, *, model: str, inputs: int, kills: int, seed: int, log: Callable[[str], None]
) -> list[Row]:
    """Run a batch without kills and one with them, and compare them row by row.

    Args:
        folder: For the files.
        model: Name of the model.
        inputs: Number of inputs.
        kills: How many processes are killed.
        seed: Of the random order and moments.
        log: Prints a message.
    """
    write_inputs(folder, inputs)
    words = (model, f"@{LIST}", "--shard-size", _SHARD_SIZE, "--workers", 2)
    started = time.perf_counter()
    finish(start_batch(folder, *words, "--out", "plain"))
    plain_s = time.perf_counter() - started
    with ray_cluster() as cluster:
        words = (*words, "--out", "killed", "--engine", "ray", "--address", cluster.address)
        run = _Run(folder, cluster, words, shards=-(-inputs // _SHARD_SIZE))
        started = time.perf_counter()
        for number, kill in enumerate(plan(kills, seed), 1):
            run.wait_for(kill)
            run.kill(kill)
            log(f"kill {number} of {kills}: a {kill.kind}, when {kill.share:.0%} were done")
        finish(run.process)
        killed_s = time.perf_counter() - started
        left = cluster.stop()
    again = sum(path.stat().st_mtime_ns != stamp for path, stamp in run.finished.items())
    counts = Counter(kill.kind for kill in plan(kills, seed))
    note = ", ".join(f"{number} × {kind}" for kind, number in sorted(counts.items()))
    log(f"{inputs:,} inputs: {plain_s:.0f} s without Ray and kills, {killed_s:.0f} s with {note}")
    return [
        *_compare(_rows(folder / "killed"), _rows(folder / "plain"), note=f"of {inputs:,}; {note}"),
        at_most("finished shards that are predicted again", again, 0, note=f"of {len(run.finished)}"),
        at_most("files that are left behind", len(list(_leftovers(folder / "killed"))), 0),
        at_most("processes that are left when the cluster has stopped", len(left), 0),
    ]


class _Run:
    """A batch on a cluster, which is started again when its first process is killed."""

    def __init__(self, folder: Path, cluster: RayCluster, words: tuple[object, ...], *, shards: int) -> None:
        self._folder = folder
        self._cluster = cluster
        self._words = words
        self._shards = shards
        self.process: subprocess.Popen[bytes] = start_batch(folder, *words)
        self.finished: dict[Path, int] = {}
        self._killed_at = 0

    def wait_for(self, kill: Kill) -> None:
        """Wait until a share of the batch is done, and an actor works.

        Raises:
            BenchmarkError: The batch has ended before.
        """
        wanted = max(kill.share * self._shards, self._killed_at + _BETWEEN)
        count, changed = 0, time.monotonic()
        while count < wanted or not self._cluster.actors():
            time.sleep(0.02)
            if self.process.poll() is not None:
                finish(self.process)
                raise BenchmarkError("the batch ended before all kills; --inputs has to be larger")
            if (found := len(self._parts())) != count:
                count, changed = found, time.monotonic()
            elif time.monotonic() > changed + _STUCK_S:
                raise BenchmarkError(f"nothing happens at {count} of {self._shards} shards")
        time.sleep(kill.delay_s)

    def kill(self, kill: Kill) -> None:
        """Kill a process with SIGKILL, and start the batch again if it was the first one."""
        if kill.kind == "node":
            self._cluster.replace_node()
        elif kill.kind == "worker":
            while not (actors := self._cluster.actors()):
                time.sleep(0.02)
            actors[int(kill.choice * len(actors))].kill()
        else:
            self.process.kill()
            self.process.communicate()
            new = [path for path in self._parts() if path not in self.finished]
            self.finished |= {path: path.stat().st_mtime_ns for path in new}
            self.process = start_batch(self._folder, *self._words, "--resume")
        self._killed_at = len(self._parts())

    def _parts(self) -> list[Path]:
        return parts(self._folder / "killed")


def _rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder).to_pylist()
    return rows


def _compare(found: list[dict[str, Any]], expected: list[dict[str, Any]], *, note: str) -> list[Row]:
    by_id = {row["id"]: row for row in found}
    lost = [row for row in expected if row["id"] not in by_id]
    other = [row for row in expected if row["id"] in by_id and by_id[row["id"]] != row]
    return [
        at_most("rows that are lost", len(lost), 0, note=note),
        at_most("rows that are doubled", len(found) - len(by_id), 0),
        at_most("rows that differ from those of the plain run", len(other), 0),
    ]


def _leftovers(folder: Path) -> Iterator[Path]:
    expected = {"_SUCCESS", "_batch", ".lock", *(path.name for path in parts(folder))}
    return (path for path in folder.iterdir() if path.name not in expected)
