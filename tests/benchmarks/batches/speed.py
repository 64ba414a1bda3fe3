"""Measures how fast batches are, and how much memory they take."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from batches.cluster import ray_cluster
from batches.inputs import LIST, finish, parts, start_batch, write_inputs
from faults.results import Row, at_most

from service.inference.catalog import Catalog

_SHARD_SIZE, _BATCH_SIZE = 1000, 8
_POLL_S = 0.5


@dataclass(frozen=True)
class Rate:
    """The speed of one batch.

    Attributes:
        steady: Inputs per second after each worker has finished a shard.
        whole: Inputs per second from the start of the command to its end.
    """

    steady: float
    whole: float


def measure_speed(folder: Path, *, model: str, inputs: int, log: Callable[[str], None]) -> list[Row]:
    """Compare a bare loop, one process, two processes, and two actors on two nodes of Ray.

    Args:
        folder: For the files.
        model: Name of the model.
        inputs: Number of inputs.
        log: Prints a message.
    """
    files = write_inputs(folder, inputs)
    bare = _bare_loop(model, files, count=inputs // 5)
    log(f"bare loop: {bare:,.0f} inputs/s")
    one, two = (_rate(folder, model, inputs, workers, f"local-{workers}") for workers in (1, 2))
    with ray_cluster() as cluster:
        words = ("--engine", "ray", "--address", cluster.address)
        ray = _rate(folder, model, inputs, 2, "actors", *words)
        cluster.stop()
    for name, rate in (("one process", one), ("two processes", two), ("two actors of Ray", ray)):
        log(f"{name}: {rate.steady:,.0f} inputs/s, {rate.whole:,.0f} with start and end")
    return [
        _at_least("one process, against the bare loop", one.steady / bare, 0.9),
        _at_least("two processes, against one", two.steady / one.steady, 1.85),
        _at_least("two actors on two nodes of Ray, against two processes", ray.steady / two.steady, 0.85),
    ]


def measure_memory(folder: Path, *, model: str, inputs: int, log: Callable[[str], None]) -> list[Row]:
    """Compare the memory that batches of different sizes take.

    Args:
        folder: For the files.
        model: Name of the model.
        inputs: Number of inputs of the large batch; the small one has a hundredth.
        log: Prints a message.
    """
    peaks = []
    for count in (inputs // 100, inputs):
        write_inputs(folder, count)
        process = start_batch(folder, model, f"@{LIST}", "--out", f"memory-{count}", "--workers", 2)
        peaks.append(_peak(process))
        finish(process)
        log(f"{count:,} inputs: {peaks[-1] / 1e6:.0f} MB")
    note = f"{peaks[0] / 1e6:.0f} and {peaks[1] / 1e6:.0f} MB in three processes"
    growth = (peaks[1] / peaks[0] - 1) * 100
    promise = f"memory of {inputs:,} inputs, above that of {inputs // 100:,}"
    return [at_most(promise, growth, 10, "%", digits=1, note=note)]


def _bare_loop(model: str, files: list[Path], *, count: int) -> float:
    """Return inputs per second of a loop that reads, decodes and runs, and does nothing else."""
    predictor = Catalog(providers=("cpu",)).predictor(model)
    predictor.warm()
    started = time.perf_counter()
    for offset in range(0, count, _BATCH_SIZE):
        chosen = [files[number % len(files)] for number in range(offset, offset + _BATCH_SIZE)]
        predictor.probabilities(np.stack([predictor.prepare(path.read_bytes()) for path in chosen]))
    return count / (time.perf_counter() - started)


def _rate(folder: Path, model: str, inputs: int, workers: int, out: str, *words: object) -> Rate:
    options = ("--workers", workers, "--shard-size", _SHARD_SIZE, "--batch-size", _BATCH_SIZE)
    started = time.perf_counter()
    finish(start_batch(folder, model, f"@{LIST}", "--out", out, *options, *words))
    whole_s = time.perf_counter() - started
    ends = sorted(path.stat().st_mtime for path in parts(folder / out))
    steady = (len(ends) - workers) * _SHARD_SIZE / (ends[-1] - ends[workers - 1])
    return Rate(steady, inputs / whole_s)


def _peak(process: subprocess.Popen[bytes]) -> float:
    """Return the largest memory (PSS) in bytes of a process and its children until it ends."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(psutil.Process(process.pid)))
        time.sleep(_POLL_S)
    return peak


def _memory(first: psutil.Process) -> int:
    total = 0
    try:
        for process in (first, *first.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:  # one has ended meanwhile
        return 0
    return total


def _at_least(promise: str, ratio: float, bound: float) -> Row:
    return Row(promise, f"≥ {bound:g} ×", f"{ratio:.2f} ×", ratio >= bound)
