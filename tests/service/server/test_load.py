"""A real server under random load: each client gets its own response, and disconnected ones leave nothing."""

import asyncio
import base64
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from service.inference.catalog import Catalog

Server = Any
Until = Callable[..., Any]
_CLIENTS = 24
_REQUESTS_EACH = 8


async def _send(port: int, path: str, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    kind = "Content-Type: application/json\r\n" if body.startswith(b"{") else ""
    writer.write((head + kind + "\r\n").encode() + body)
    await writer.drain()
    return reader, writer


async def _ask(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    reader, writer = await _send(port, path, body)
    answer = await reader.read()
    writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), content


async def _leave(port: int, path: str, body: bytes, seconds: float) -> None:
    _, writer = await _send(port, path, body)
    await asyncio.sleep(seconds)
    writer.transport.abort()


def _until_idle(server: Server) -> None:
    end = time.monotonic() + 20
    while server.metric("lectern_requests_in_flight") and time.monotonic() < end:
        time.sleep(0.05)


def test_each_client_gets_its_own_response_while_others_disconnect(
    server: Server, models_folder: Path, samples: Callable[[str], Any], until: Until
) -> None:
    catalog, chance = Catalog(models_folder), random.Random(11)
    names = ("cats_vs_dogs", "cifar10", "mnist")
    files = {name: samples(name).inputs[:6] for name in names}
    expected = {name: catalog.predictor(name).predict(files[name]) for name in names}
    outcomes: Counter[str] = Counter()

    async def one(server: Server) -> None:
        name, kind = chance.choice(names), chance.choice(["file", "file", "many", "damaged", "disconnected"])
        if kind == "disconnected":
            path, body = f"/models/{name}", files[name][0]
            if chance.random() < 0.5:
                image = base64.b64encode(body).decode()
                path, body = "/classify_image", json.dumps({"model": name, "image": image}).encode()
            await _leave(server.port, path, body, chance.random() * 0.1)
        elif kind == "damaged":
            status, _ = await _ask(server.port, f"/models/{name}", files[name][0][:60])
            assert status == 422
        else:
            await _check(server, name, [chance.randrange(6) for _ in range(1 if kind == "file" else 5)])
        outcomes[kind] += 1

    async def _check(server: Server, name: str, picked: list[int]) -> None:
        if len(picked) == 1:
            body = files[name][picked[0]]
        else:
            texts = [base64.b64encode(files[name][at]).decode() for at in picked]
            body = json.dumps({"inputs": texts}).encode()
        status, content = await _ask(server.port, f"/models/{name}", body)
        assert status == 200, content
        answers = json.loads(content)
        for at, answer in zip(picked, answers if len(picked) > 1 else [answers], strict=True):
            scores = {row["label"]: row["score"] for row in answer}
            scores_alone = {score.label: score.score for score in expected[name][at].scores}
            assert scores.keys() == scores_alone.keys()
            assert max(abs(scores[label] - scores_alone[label]) for label in scores_alone) <= 1e-6

    async def client(server: Server) -> None:
        for _ in range(_REQUESTS_EACH):
            await one(server)

    async def everyone(server: Server) -> None:
        await asyncio.gather(*(client(server) for _ in range(_CLIENTS)))

    logged = len(server.log())
    worker = psutil.Process(server.workers()[0])
    asyncio.run(everyone(server))
    _until_idle(server)
    before = worker.memory_info().rss
    asyncio.run(everyone(server))
    _until_idle(server)
    assert worker.memory_info().rss < before + 60_000_000
    assert server.metric("lectern_requests_in_flight") == 0
    assert server.metric("lectern_inputs_waiting") == 0
    assert sum(outcomes.values()) == 2 * _CLIENTS * _REQUESTS_EACH
    until(lambda: " 499" in server.log()[logged:])
    assert "Traceback" not in server.log()[logged:]


def test_the_requests_of_clients_that_disconnect_are_not_completed(
    server: Server, samples: Callable[[str], Any]
) -> None:
    text = base64.b64encode(samples("cats_vs_dogs").inputs[0]).decode()
    body = json.dumps({"inputs": [text] * 64}).encode()
    asyncio.run(_ask(server.port, "/models/cats_vs_dogs", body))
    before = server.metric("lectern_batch_inputs_sum", model="cats_vs_dogs")

    async def leave() -> None:
        await asyncio.gather(*(_leave(server.port, "/models/cats_vs_dogs", body, 0.05) for _ in range(16)))

    asyncio.run(leave())
    _until_idle(server)
    assert server.metric("lectern_requests_in_flight") == 0
    assert server.metric("lectern_batch_inputs_sum", model="cats_vs_dogs") - before < 8 * 64
