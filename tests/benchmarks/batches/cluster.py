"""Starts a Ray cluster of two nodes on this machine, and kills parts of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from peers.errors import BenchmarkError

_ROOT = Path(__file__).resolve().parents[3]
_NODES = Path(__file__).with_name("nodes.py")
_STOPS_WITHIN_S = 30.0


class RayCluster:
    """Two nodes with one core each.

    Attributes:
        address: ``host:port``, as ``--address`` takes it.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self._seen: set[psutil.Process] = set()
        self.address = address

    def actors(self) -> list[psutil.Process]:
        """Return the processes that predict shards."""
        return [process for process in self._processes() if "ray::_Actor" in _command_line(process)]

    def replace_node(self) -> None:
        """Kill the second node with its processes; another one starts.

        Raises:
            BenchmarkError: Ray cannot start it.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._processes()
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "killed\n":
            raise BenchmarkError("Ray cannot start another node; try it on a machine with less other work")

    def stop(self) -> list[psutil.Process]:
        """Stop the cluster; return those of its processes that have not ended half a minute later."""
        self._processes()
        self._process.communicate()
        deadline = time.monotonic() + _STOPS_WITHIN_S
        while (left := list(filter(_is_running, self._seen))) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def _processes(self) -> set[psutil.Process]:
        """Return the processes of the cluster; those of killed nodes are kept in mind."""
        found = set(psutil.Process(self._process.pid).children(recursive=True))
        self._seen |= found
        return found


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Start a cluster, and stop it after the block."""
    # Ray gives its workers a low priority, so that beside other work they would hardly run.
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "PYTHONPATH": str(_ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, str(_NODES)],
        env=os.environ | settings,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        yield RayCluster(process, process.stdout.readline().strip())


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return ""


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
