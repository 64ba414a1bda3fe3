"""The command ``./run bench batches``."""

import importlib.util
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import click
from faults.results import Row
from peers.errors import BenchmarkError
from peers.results import describe_machine

from service.inference.program import how_to_install

_PARTS = ("kills", "speed", "memory")


@click.command()
@click.option(
    "--only", "names", multiple=True, type=click.Choice(_PARTS), help="Measure this; can be given twice."
)
@click.option("--model", default="mnist", show_default=True, help="A model of pictures.")
@click.option("--kills", "count", default=10, show_default=True, help="Processes that are killed.")
@click.option("--seed", default=0, show_default=True, help="Of the order and the moments of kills.")
@click.option("--inputs", type=int, help="Inputs of a batch [kills 20000, speed 50000, memory 1000000].")
def batches(names: tuple[str, ...], model: str, count: int, seed: int, inputs: int | None) -> None:
    """Kill parts of batches, and measure their speed and memory.

    Prints what is promised beside what was measured. kills runs a batch on a Ray cluster of two nodes, kills
    workers, a node and the first process at random moments, and compares each row with a plain run: two
    minutes. speed compares a bare loop, processes and Ray: three minutes. memory compares 10,000 with
    1,000,000 inputs: a quarter of an hour. Ends with status 1 if a promise was not kept.
    """
    for package in ("pyarrow", "ray"):
        if importlib.util.find_spec(package) is None:
            install = how_to_install("batch --engine ray --help", "batch,ray")
            raise click.ClickException(f"bench batches needs the package {package}: {install}")
    from batches.kills import measure_kills
    from batches.speed import measure_memory, measure_speed

    log = partial(click.echo, err=True)
    measures = {
        "kills": partial(measure_kills, inputs=inputs or 20_000, kills=count, seed=seed),
        "speed": partial(measure_speed, inputs=inputs or 50_000),
        "memory": partial(measure_memory, inputs=inputs or 1_000_000),
    }
    rows: dict[str, list[Row]] = {}
    for name in names or _PARTS:
        with tempfile.TemporaryDirectory(prefix="lectern-") as folder:
            os.environ["TMPDIR"] = folder  # for the files of Ray
            try:
                rows[name] = measures[name](Path(folder), model=model, log=log)
            except BenchmarkError as error:
                raise click.ClickException(str(error)) from error
    click.echo(_table(rows))
    sys.exit(any(row.met is False for found in rows.values() for row in found))


def _table(rows: dict[str, list[Row]]) -> str:
    lines = [f"{describe_machine()}.", "", "| | promise | required | measured | |", "|---|---|--:|--:|---|"]
    for name, found in rows.items():
        for row in found:
            met = "met" if row.met else "missed"
            lines.append(f"| {name} | {row.promise} | {row.required} | {row.measured} | {met} |")
    return "\n".join(lines)
