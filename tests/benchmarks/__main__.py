"""Owns ``./run bench``: measurements that take minutes and a machine with nothing else to do."""

import sys
from pathlib import Path

import click

# The benchmarks are no package of ours that is installed: they are found beside this file, Lectern above it.
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

from peers.command import peers  # found by the line above


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure Lectern, on a machine that has nothing else to do.

    Example: ./run bench peers
    """


bench.add_command(peers)

if __name__ == "__main__":
    bench(prog_name="./run bench")
