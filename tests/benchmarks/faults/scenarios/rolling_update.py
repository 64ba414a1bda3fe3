"""Replaces the pods of a deployment one after the other, with the times of the Kubernetes manifests.

HAProxy forwards connections, as a Kubernetes Service does: it knows nothing of requests. A pod that ends is
taken out of it in the middle of ``preStop``, because nodes notice that late.
"""

import asyncio
from contextlib import ExitStack
from typing import Any

from faults.bench import Bench, until
from faults.client import Client
from faults.load import failed_requests, latency_ms, steady_load
from faults.payloads import digit
from faults.proxy import Proxy, haproxy
from faults.results import Row, at_most, not_measured
from faults.scenarios.rolling_restart import Copy
from faults.servers import deployment
from peers.errors import BenchmarkError

_PROMISE = "failed requests of a client that keeps its connections to two pods"
_RATE, _CONNECTIONS = 50, 16
_STARTS_WITHIN_S = 60.0


async def run(bench: Bench) -> list[Row]:
    """Measure how many requests fail."""
    spec = deployment()["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    drain_s = next(int(one["value"]) for one in container["env"] if one["name"] == "LECTERN_DRAIN_S")
    updates = bench.size(10, 1)
    # Two pods, and the place of the one that is started beside them.
    pods = [Copy(bench.folder / name, drain_s=drain_s) for name in ("first", "second", "third")]
    with ExitStack() as stack:
        for pod in pods:
            stack.callback(pod.stop)
        await asyncio.gather(*(asyncio.to_thread(pod.start) for pod in pods[:2]))
        try:
            proxy = stack.enter_context(haproxy([pod.port for pod in pods], bench.folder, mode="tcp"))
        except BenchmarkError as error:
            return [not_measured(_PROMISE, "0", str(error))]
        for pod in pods[:2]:
            await until(lambda pod=pod: proxy.is_up(pod.port), seconds=_STARTS_WITHIN_S)
        client = Client(proxy.port, connections=_CONNECTIONS)
        async with steady_load(client, [digit()], rate=_RATE) as exchanges:
            for number in range(updates):
                old, new = pods[number % 3], pods[(number + 2) % 3]
                await _update(proxy, old, new, spec, container)
        client.close()
    return [
        failed_requests(f"{updates} updates: {_PROMISE}", exchanges),
        at_most("longest response", latency_ms(exchanges, 1.0) / 1e3, 3, "s", digits=2),
    ]


async def _update(proxy: Proxy, old: Copy, new: Copy, spec: Any, container: Any) -> None:
    """Start a pod, then end one."""
    await asyncio.to_thread(new.start)
    proxy.set_state(new.port, "ready")
    await until(lambda: proxy.is_up(new.port), seconds=_STARTS_WITHIN_S)
    await asyncio.sleep(spec["minReadySeconds"])
    pre_stop_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    await asyncio.sleep(pre_stop_s / 2)
    proxy.set_state(old.port, "drain")
    await asyncio.sleep(pre_stop_s / 2)
    await asyncio.to_thread(old.stop)
