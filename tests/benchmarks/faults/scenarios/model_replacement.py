"""Replaces a model under load, and tries to replace it by a broken one."""

import asyncio
import json
import shutil
from pathlib import Path

from faults.bench import Bench, until
from faults.client import Call, Client, Exchange
from faults.load import failed_requests, steady_load
from faults.payloads import digit
from faults.results import Row, at_most, not_measured
from faults.servers import LONG_QUEUE, Server, lectern
from peers.protocols import Payload
from peers.systems import ROOT

_MODEL, _RATE = "mnist", 100
_SERVED, _NEW, _BROKEN = 2, 3, 4
_NOT_SUPPORTED = (404, 405, 501)
_LOAD = Call("load", f"/v2/repository/models/{_MODEL}/load", Payload(b"{}", (), 0, lambda body: True))
_SWITCH_S = 10.0


async def run(bench: Bench) -> list[Row]:
    """Measure how long a new version takes, and whether requests fail."""
    models = bench.folder / "models"
    shutil.rmtree(models, ignore_errors=True)
    shutil.copytree(ROOT / "models" / _MODEL / str(_SERVED), models / _MODEL / str(_SERVED))
    settings = {"models": models, "model_control": 1, "max_queue": LONG_QUEUE}
    with lectern(bench.folder, workers=2, **settings) as server:
        client = Client(server.port, connections=8)
        async with steady_load(client, [digit()], rate=_RATE) as exchanges:
            await asyncio.sleep(1)
            rows = await _replace(server, models / _MODEL, exchanges)
            await asyncio.sleep(1)
        client.close()
    if rows[0].met is None:
        return rows
    return [*rows, failed_requests("failed requests", exchanges)]


async def _replace(server: Server, folder: Path, exchanges: list[Exchange]) -> list[Row]:
    control = Client(server.port, timeout_s=60)
    _add_version(folder, _NEW)
    reply = await control.send(_LOAD)
    if reply.status in _NOT_SUPPORTED:
        return [
            not_measured(promise, required, f"not supported ({reply.status})")
            for promise, required in (
                ("a new version answers all requests", f"≤ {_SWITCH_S:g} s"),
                ("a broken version is accepted, or replaces the good one", "0"),
                ("failed requests", "0"),
            )
        ]
    seconds = await until(lambda: _all_from(exchanges[-_RATE // 2 :], _NEW), seconds=2 * _SWITCH_S)
    _add_version(folder, _BROKEN, broken=True)
    refusal = await control.send(_LOAD)
    control.close()
    await asyncio.sleep(1)
    wrong = (refusal.status < 400) + (not _all_from(exchanges[-_RATE // 2 :], _NEW))
    return [
        at_most(
            "a new version answers all requests",
            seconds,
            _SWITCH_S,
            "s",
            digits=1,
            note=f"load: {reply.status}",
        ),
        at_most(
            "a broken version is accepted, or replaces the good one", wrong, 0, note=f"load: {refusal.status}"
        ),
    ]


def _all_from(exchanges: list[Exchange], version: int) -> bool:
    return bool(exchanges) and all(one.model_version == str(version) for one in exchanges)


def _add_version(folder: Path, version: int, *, broken: bool = False) -> None:
    """Copy the served version, with a number of its own; a broken one has half of its network."""
    # A name that begins with a dot is ignored until the copy is complete.
    copy = folder / f".{version}"
    shutil.copytree(folder / str(_SERVED), copy)
    card = copy / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"version": version}))
    if broken:
        network = copy / "model.onnx"
        network.write_bytes(network.read_bytes()[: network.stat().st_size // 2])
    copy.rename(folder / str(version))
