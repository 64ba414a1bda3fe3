"""Runs the scenarios, one after the other."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import uvloop
from faults.bench import Bench, Scenario
from faults.results import Results, Row
from faults.scenarios import (
    damaged_pictures,
    many_connections,
    model_replacement,
    overload,
    rolling_restart,
    rolling_update,
    slow_senders,
    soak,
    unread_responses,
    uploads,
    worker_kill,
)
from peers.errors import PeerError
from peers.results import describe_machine

SCENARIOS: dict[str, Scenario] = {
    "overload": overload.run,
    "slow senders": slow_senders.run,
    "many connections": many_connections.run,
    "uploads": uploads.run,
    "damaged pictures": damaged_pictures.run,
    "unread responses": unread_responses.run,
    "rolling restart": rolling_restart.run,
    "rolling update": rolling_update.run,
    "worker kill": worker_kill.run,
    "model replacement": model_replacement.run,
    "soak": soak.run,
}


def run(names: Sequence[str], bench: Bench, *, log: Callable[[str], None]) -> Results:
    """Run scenarios.

    Args:
        names: Names of the scenarios.
        bench: The form; each scenario gets a folder in that of the bench.
        log: Prints a message.
    """
    scenarios = {}
    for name in names:
        log(f"{name}: begins")
        folder = bench.folder / name.replace(" ", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        scenarios[name] = _rows(SCENARIOS[name], replace(bench, folder=folder))
        for row in scenarios[name]:
            log(f"{name}: {row.promise}: {row.measured} ({row.required})")
    date = datetime.now(UTC).date().isoformat()
    return Results(describe_machine(), date, bench.short, scenarios)


def _rows(scenario: Scenario, bench: Bench) -> list[Row]:
    """Run one scenario. If its server fails altogether, that is a missed promise, and the others are run."""
    try:
        return uvloop.run(scenario(bench))
    except (PeerError, OSError) as error:
        return [Row("the server starts and responds", "yes", str(error) or repr(error), met=False)]
