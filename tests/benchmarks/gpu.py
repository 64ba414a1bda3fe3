"""The command ``./run bench gpu``: all models on a GPU, compared with the CPU.

Needs no package but those of the server and ``onnxruntime-gpu`` with its CUDA libraries.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.predictor import Array, Predictor
from service.server.execution.engine import Engine
from service.settings import Settings

_BATCHES = (1, 8, 64, 256)
_MAX_DIFFERENCE = 1e-3
_WORDS = 300  # of a text
_SECONDS = 1.0
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

    @property
    def is_equal(self) -> bool:
        """Whether the probabilities are those of the CPU."""
        return self.difference <= _MAX_DIFFERENCE


@click.command()
@click.option(
    "--provider", default="cuda", show_default=True, help="cuda or tensorrt; cpu to try the script."
)
def gpu(provider: str) -> None:
    """Compare all models on a GPU with the CPU.

    Prints the largest difference of the probabilities, the time of the start, and inputs per second for
    batches of 1 to 256: of a bare loop / of the server's engine, and of the loop on the CPU. Then it runs two
    models at once, and without a GPU. Takes two minutes. Ends with status 1 if probabilities differ by more
    than 0.001.
    """
    settings = Settings.from_environment()
    results = [measure(card, settings, provider) for card in Catalog(Path(settings.models))]
    click.echo(table(results))
    alone, together = two_models(settings, provider)
    click.echo(
        f"\nTwo models at once: {together / alone:.2f} of their inputs per second one after the other."
    )
    click.echo(f"Without a visible GPU, networks run with {fall_back(settings)}.")
    if not all(result.is_equal for result in results):
        raise click.ClickException(
            f"probabilities differ from those of the CPU by more than {_MAX_DIFFERENCE}"
        )


def measure(card: Card, settings: Settings, provider: str) -> ModelResult:
    """Measure the default version of a model."""
    folder = Path(settings.models) / card.name / str(card.version)
    cpu = Predictor.load(folder, card, providers=("cpu",))
    started = time.perf_counter()
    fast = Predictor.load(folder, card, providers=(provider,))
    fast.warm()
    start_s = time.perf_counter() - started
    batch = inputs(card, 64)
    return ModelResult(
        name=card.name,
        start_s=start_s,
        difference=float(np.abs(fast.probabilities(batch) - cpu.probabilities(batch)).max()),
        bare={size: rate(partial(fast.probabilities, inputs(card, size)), size) for size in _BATCHES},
        served=asyncio.run(_served(card, settings, provider)),
        cpu=max(rate(partial(cpu.probabilities, inputs(card, size)), size) for size in _BATCHES[:3]),
    )


def inputs(card: Card, size: int) -> Array:
    """Return a batch of seeded random numbers that the network takes."""
    random = np.random.default_rng(0)
    shape = (size, *(_WORDS if side == -1 else side for side in card.input.shape[1:]))
    if card.input.dtype == "int32":
        return random.integers(1, 10_000, shape, dtype=np.int32)
    return random.integers(0, 256, shape, dtype=np.uint8)


def rate(run: Callable[[], npt.NDArray[np.float32]], size: int) -> float:
    """Return how many inputs per second a call that takes some of them handles."""
    run()  # libraries choose their algorithms for a new size
    started, calls = time.perf_counter(), 0
    while time.perf_counter() < started + _SECONDS:
        run()
        calls += 1
    return calls * size / (time.perf_counter() - started)


async def _served(card: Card, settings: Settings, provider: str) -> dict[int, float]:
    engine = Engine(replace(settings, providers=(provider,)))
    engine.start()
    try:
        predictor = await engine.predictor(card.name, card.version)
        return {size: await _served_rate(engine, predictor, inputs(card, size)) for size in _BATCHES}
    finally:
        engine.close()


async def _served_rate(engine: Engine, predictor: Predictor, batch: Array) -> float:
    calls, started = 0, time.perf_counter()

    async def send() -> None:
        nonlocal calls
        while time.perf_counter() < started + _SECONDS:
            await engine.infer(predictor, batch)
            calls += 1

    await asyncio.gather(*(send() for _ in range(_CONCURRENT)))
    return calls * len(batch) / (time.perf_counter() - started)


def two_models(settings: Settings, provider: str) -> tuple[float, float]:
    """Return inputs per second of two models one after the other, and of both at once."""
    catalog = Catalog(Path(settings.models), providers=(provider,))
    runs = [
        partial(catalog.predictor(card.name).probabilities, inputs(card, 64)) for card in list(catalog)[:2]
    ]
    # Half the time each, one after the other.
    alone = sum(rate(run, 64) for run in runs) / 2
    with ThreadPoolExecutor(2) as pool:
        return alone, sum(pool.map(rate, runs, [64, 64]))


def fall_back(settings: Settings) -> str:
    """Return what runs the networks in a process that sees no GPU, with ``LECTERN_PROVIDERS=auto``."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "LECTERN_MODELS": str(settings.models)}
    command = [sys.executable, "-c", _FALL_BACK]
    return subprocess.check_output(command, env=environment, text=True).strip()


def table(results: list[ModelResult]) -> str:
    """Return a Markdown table; inputs per second of the bare loop, and of the engine behind the slash."""
    return "\n".join(_lines(results))


def _lines(results: list[ModelResult]) -> Iterator[str]:
    yield "| model | start | difference | " + " | ".join(f"batch {size}" for size in _BATCHES) + " | CPU |"
    yield "|---|--:|--:|" + "--:|" * (len(_BATCHES) + 1)
    for result in results:
        rates = [f"{result.bare[size]:,.0f} / {result.served[size]:,.0f}" for size in _BATCHES]
        row = [
            result.name,
            f"{result.start_s:.2f} s",
            f"{result.difference:.1e}",
            *rates,
            f"{result.cpu:,.0f}",
        ]
        yield f"| {' | '.join(row)} |"
