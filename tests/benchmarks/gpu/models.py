"""Compares models on a GPU with the CPU: probabilities, start, and throughput."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from gpu.rates import BATCHES, inputs, rate

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.predictor import Array, Predictor
from service.inference.tensorrt import TensorRT
from service.server.execution.engine import Engine
from service.settings import Settings
from service.settings.settings import Provider

# The providers of a run, in order of preference.
PROVIDERS: dict[str, tuple[Provider, ...]] = {
    "cpu": ("cpu",),
    "cuda": ("cuda", "cpu"),
    "tensorrt": ("tensorrt", "cuda", "cpu"),
}
MAX_DIFFERENCES = {False: 1e-3, True: 1e-2}  # of a probability, by whether it is in half precision
_CONCURRENT = 4
# Prints what runs the networks where no GPU is visible.
_FALL_BACK = "from service.inference.catalog import Catalog as C; print(*C().predictor('mnist').providers)"


@dataclass(frozen=True)
class ModelResult:
    """What was measured of one model.

    Attributes:
        name: Of the model.
        start_s: Seconds from opening the network to the end of its first run.
        difference: Largest difference of a probability from that of the CPU.
        bare: Inputs per second for each batch size, of a loop that does nothing else.
        served: The same through the server's engine, with several requests at a time.
        cpu: Inputs per second of the loop on one core of the CPU, with the best batch.
    """

    name: str
    start_s: float
    difference: float
    bare: dict[int, float]
    served: dict[int, float]
    cpu: float


def measure(card: Card, settings: Settings, *, seconds: float) -> ModelResult:
    """Measure the default version of a model.

    Args:
        card: Of the version.
        settings: Models and providers.
        seconds: For each figure.
    """
    folder = Path(settings.models) / card.name / str(card.version)
    cpu = Predictor.load(folder, card, providers=("cpu",))
    started = time.perf_counter()
    tensorrt = TensorRT(settings.tensorrt_cache, settings.tensorrt_fp16)
    fast = Predictor.load(folder, card, providers=settings.providers, tensorrt=tensorrt)
    fast.warm()
    start_s = time.perf_counter() - started
    batch = inputs(card, 64)
    return ModelResult(
        name=card.name,
        start_s=start_s,
        difference=float(np.abs(fast.probabilities(batch) - cpu.probabilities(batch)).max()),
        bare=_rates(fast, BATCHES, seconds),
        served=asyncio.run(_served(card, settings, seconds)),
        cpu=max(_rates(cpu, BATCHES[:3], seconds).values()),
    )


def _rates(predictor: Predictor, sizes: Sequence[int], seconds: float) -> dict[int, float]:
    batches = {size: inputs(predictor.card, size) for size in sizes}
    return {
        size: rate(partial(predictor.probabilities, batch), size, seconds=seconds)
        for size, batch in batches.items()
    }


async def _served(card: Card, settings: Settings, seconds: float) -> dict[int, float]:
    engine = Engine(settings)
    engine.start()
    try:
        predictor = await engine.predictor(card.name, card.version)
        return {size: await _served_rate(engine, predictor, inputs(card, size), seconds) for size in BATCHES}
    finally:
        engine.close()


async def _served_rate(engine: Engine, predictor: Predictor, batch: Array, seconds: float) -> float:
    calls, started = 0, time.perf_counter()

    async def send() -> None:
        nonlocal calls
        while time.perf_counter() < started + seconds:
            await engine.infer(predictor, batch)
            calls += 1

    await asyncio.gather(*(send() for _ in range(_CONCURRENT)))
    return calls * len(batch) / (time.perf_counter() - started)


def two_models(cards: Sequence[Card], settings: Settings, *, seconds: float) -> tuple[float, float]:
    """Return inputs per second of two models one after the other, and of both at once."""
    catalog = Catalog(
        Path(settings.models),
        providers=settings.providers,
        tensorrt=TensorRT(settings.tensorrt_cache, settings.tensorrt_fp16),
    )
    measures = [
        partial(
            rate, partial(catalog.predictor(card.name).probabilities, inputs(card, 64)), 64, seconds=seconds
        )
        for card in cards
    ]
    # Half the time each, one after the other.
    alone = sum(measure() for measure in measures) / 2
    with ThreadPoolExecutor(2) as pool:
        return alone, sum(pool.map(lambda measure: measure(), measures))


def fall_back(settings: Settings) -> str:
    """Return what runs the networks in a process that sees no GPU, with ``LECTERN_PROVIDERS=auto``."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "LECTERN_MODELS": str(settings.models)}
    command = [sys.executable, "-c", _FALL_BACK]
    return subprocess.check_output(command, env=environment, text=True).strip()


def table(results: list[ModelResult]) -> str:
    """Return a Markdown table; inputs per second of the bare loop, and of the engine behind the slash."""
    return "\n".join(_lines(results))


def _lines(results: list[ModelResult]) -> Iterator[str]:
    yield "| model | start | difference | " + " | ".join(f"batch {size}" for size in BATCHES) + " | CPU |"
    yield "|---|--:|--:|" + "--:|" * (len(BATCHES) + 1)
    for result in results:
        rates = [f"{result.bare[size]:,.0f} / {result.served[size]:,.0f}" for size in BATCHES]
        row = [
            result.name,
            f"{result.start_s:.2f} s",
            f"{result.difference:.1e}",
            *rates,
            f"{result.cpu:,.0f}",
        ]
        yield f"| {' | '.join(row)} |"
