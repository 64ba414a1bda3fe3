"""The command ``./run bench``: measurements that take minutes, on a machine with nothing else to do."""

import sys
from pathlib import Path

import click

# The benchmarks belong to no installed package: they are beside this file, and Lectern is two folders up.
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

from batches.command import batches  # found by the line above
from capacity.command import capacity
from faults.command import faults
from gpu.command import gpu
from layers import layers
from mechanisms import mechanisms
from observation import observation
from peers.command import peers


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure Lectern, on a machine that has nothing else to do.

    Examples: ./run bench peers, ./run bench faults --short, ./run bench layers, ./run bench mechanisms
    """


bench.add_command(batches)
bench.add_command(capacity)
bench.add_command(faults)
bench.add_command(gpu)
bench.add_command(layers)
bench.add_command(mechanisms)
bench.add_command(observation)
bench.add_command(peers)

if __name__ == "__main__":
    bench(prog_name="./run bench")
