"""The command ``./run bench capacity``: what one core answers, and how full pods may be."""

import asyncio
import json
import math
import random
import re
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import psutil
from capacity.queueing import simulate
from faults.client import Call, Client, Exchange
from faults.load import at_full_speed
from faults.servers import LONG_QUEUE, Server, lectern
from peers.protocols import Payload
from peers.results import describe_machine
from peers.systems import ROOT

from service.inference.files import write_json

_PICTURES = ROOT / "tests" / "data" / "pictures"
_WARM_S = 1.0
_RESULTS = (
    Path(__file__).parent / "results.json"
)  # milliseconds of a response by model, as --record stores them
TARGET = 0.6  # utilization that the autoscalers aim at
_RATES = (1_000, 10_000, 100_000)
_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
_SHARES = (0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Point:
    """One model at one rate, measured and simulated.

    Attributes:
        utilization: Share of its time in which the server works.
        in_flight: Mean number of requests in flight: the rate multiplied by the mean response time.
        counted: Mean of the server's metric ``lectern_requests_in_flight``.
        summed: The same from the rate of the server's metric ``lectern_request_seconds_sum``.
        simulated: Mean number of requests in flight of the simulation.
    """

    utilization: float
    in_flight: float
    counted: float
    summed: float
    simulated: float


def calls() -> dict[str, Call]:
    """Return a typical request of each model."""
    pictures = {
        "mnist": "eight.png",
        "fashion_mnist": "ankle_boot.png",
        "cifar10": "horse.png",
        "cats_vs_dogs": "cat.jpg",
    }
    found = {
        model: Call(model, f"/models/{model}", _payload((_PICTURES / name).read_bytes(), "image/png"))
        for model, name in pictures.items()
    }
    text = b"A wonderful little film, moving and superbly acted, and never a minute too long."
    return found | {"imdb": Call("imdb", "/models/imdb", _payload(text, "text/plain"))}


@click.command()
@click.option("--seconds", default=5.0, help="Time for each measurement.")
@click.option("--record", is_flag=True, help="Store the times of the models, which the runbook's table has.")
@click.option(
    "--model", default="cats_vs_dogs", help="Model of the point that the simulation is checked with."
)
def capacity(seconds: float, record: bool, model: str) -> None:
    """Measure the processor time of one response of each model, and check the simulation with one point."""
    click.echo(describe_machine())
    with (
        tempfile.TemporaryDirectory() as folder,
        # As a pod of the Kubernetes manifests, but for the queue: nothing may be refused here.
        lectern(Path(folder), cpus=1, max_queue=LONG_QUEUE, max_wait_s=60) as server,
    ):
        costs = {name: asyncio.run(_cost(server, call, seconds)) for name, call in calls().items()}
        for name, cost in costs.items():
            click.echo(f"| `{name}` | {cost * 1e3:.2f} ms | {1 / cost:,.0f} |")
        if record:
            write_json(_RESULTS, {name: round(cost * 1e3, 2) for name, cost in sorted(costs.items())})
        for share in _SHARES:
            point = asyncio.run(_point(server, calls()[model], costs[model], share, seconds * 4))
            click.echo(f"{model} at {share:.0%}: {point}")
    click.echo(f"{levels_table()}\n\n{pods_table()}")


def levels_table() -> str:
    """Return what clients get at several utilizations, simulated, as a Markdown table."""
    rows = [
        "| utilization of a pod | in flight | mean response time | 95th percentile |",
        "|--:|--:|--:|--:|",
    ]
    for level in _LEVELS:
        load = simulate([1.0], utilization=level)
        rows.append(f"| {level:.0%} | {load.in_flight:.2f} | {load.mean_s:.1f} × | {load.p95_s:.1f} × |")
    return "\n".join(rows)


def pods_table() -> str:
    """Return how many pods answer a rate, from the recorded times of a response, as a Markdown table."""
    heads = "".join(f" pods for {rate:,}/s |" for rate in _RATES)
    rows = [f"| model | one response | one core |{heads}", f"|---|--:|--:|{'--:|' * len(_RATES)}"]
    for name, cost_ms in json.loads(_RESULTS.read_text()).items():
        pods = "".join(f" {max(2, math.ceil(rate * cost_ms / 1e3 / TARGET)):,} |" for rate in _RATES)
        rows.append(f"| `{name}` | {cost_ms:.2f} ms | {1e3 / cost_ms:,.0f}/s |{pods}")
    return "\n".join(rows)


def _payload(body: bytes, content_type: str) -> Payload:
    return Payload(body, (("Content-Type", content_type),), 1, lambda response: b"label" in response)


async def _cost(server: Server, call: Call, seconds: float) -> float:
    """Return the processor time of one response in seconds, with one connection, where nothing is shared."""
    await at_full_speed(server.port, [call], connections=1, seconds=_WARM_S)
    before = _processor_s(server)
    exchanges = await at_full_speed(server.port, [call], connections=1, seconds=seconds)
    _check(exchanges)
    return (_processor_s(server) - before) / len(exchanges)


async def _point(server: Server, call: Call, cost: float, share: float, seconds: float) -> Point:
    """Send requests at random times, at the rate at which the server works for this share of its time."""
    rate, chance = share / cost, random.Random(0)
    client, tasks, counts = Client(server.port, connections=64), list[asyncio.Task[Exchange]](), list[float]()
    busy, sums = _processor_s(server), _metric(server, "lectern_request_seconds_sum")
    start = time.perf_counter()
    due, scrape = start, start
    while due < start + seconds:
        due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(client.send(call, due=due)))
        if due > scrape:
            scrape = due + 0.1
            counts.append(await asyncio.to_thread(_metric, server, "lectern_requests_in_flight"))
    exchanges = await asyncio.gather(*tasks)
    took = time.perf_counter() - start
    client.close()
    _check(exchanges)
    mean_s = sum(one.ended - one.due for one in exchanges) / len(exchanges)
    used = (_processor_s(server) - busy) / took
    return Point(
        utilization=round(used, 3),
        in_flight=round(len(exchanges) / took * mean_s, 2),
        counted=round(sum(counts) / len(counts), 2),
        summed=round((_metric(server, "lectern_request_seconds_sum") - sums) / took, 2),
        simulated=round(simulate([cost], utilization=min(used, 0.99)).in_flight, 2),
    )


def _check(exchanges: Sequence[Exchange]) -> None:
    failed = [one for one in exchanges if not one.expected]
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(exchanges)} requests failed, such as {failed[0]}")


def _processor_s(server: Server) -> float:
    times = [psutil.Process(worker.pid).cpu_times() for worker in server.workers()]
    return float(sum(time.user + time.system for time in times))


def _metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as response:
        text = response.read().decode()
    values = re.findall(rf'^{name}(?:\{{.*route="/models/{{name}}".*\}})? (\S+)$', text, re.MULTILINE)
    return sum(map(float, values))
