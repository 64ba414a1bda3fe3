"""Starts Lectern for a scenario, and reads the figures of its worker processes."""

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import yaml
from peers.processes import RunningSystem, free_port, running
from peers.systems import ROOT, all_systems, with_workers

_MANIFEST = ROOT / "service" / "deploy" / "kubernetes" / "base" / "deployment.yaml"
# A machine that stalls for a moment must not look like overload where something else is measured.
LONG_QUEUE = 1000
_START = "from service.cli import main; main()"


@dataclass(frozen=True)
class Figures:
    """The size of a server at one time.

    Attributes:
        memory_mb: Resident memory of the workers in MB (10^6 bytes).
        threads: Threads of the workers.
        descriptors: Open file descriptors of the workers, without their connections.
        files: Temporary files and folders.
    """

    memory_mb: float
    threads: int
    descriptors: int
    files: int


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        running: Its process.
        temporary: Folder of its temporary files.
    """

    running: RunningSystem
    temporary: Path

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        return self.running.port

    def workers(self) -> list[psutil.Process]:
        """Return the processes below the first one that listen on the port."""
        found = []
        for process in self.running.processes()[1:]:
            with contextlib.suppress(psutil.Error):
                if _listens(process, self.port):
                    found.append(process)
        return found

    def worker_ids(self) -> set[int]:
        """Return the process ids of the workers."""
        return {worker.pid for worker in self.workers()}

    def forget_peak(self) -> None:
        """Begin to measure the peak of the memory anew."""
        for worker in self.workers():
            # Resets VmHWM, see proc(5).
            Path(f"/proc/{worker.pid}/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        """Return the highest resident memory of a worker since :meth:`forget_peak`, in MB (10^6 bytes)."""
        return max((_peak_mb(worker.pid) for worker in self.workers()), default=0.0)

    def memory_mb(self) -> float:
        """Return the resident memory of the workers in MB (10^6 bytes)."""
        return resident_mb(self.workers())

    def figures(self) -> Figures:
        """Return the figures of the workers at this moment."""
        workers = self.workers()
        threads = descriptors = 0
        for worker in workers:
            with contextlib.suppress(psutil.Error):
                threads += worker.num_threads()
                descriptors += worker.num_fds() - _count_accepted(worker)
        # The metrics keep the counts of a worker that has ended, in a file of its own.
        files = [path for path in self.temporary.rglob("*") if path.suffix != ".db"]
        return Figures(resident_mb(workers), threads, descriptors, len(files))


@contextmanager
def lectern(
    folder: Path, *, workers: int = 1, port: int | None = None, descriptors: int = 0, **settings: object
) -> Iterator[Server]:
    """Start Lectern, and stop it at the end of the block.

    Args:
        folder: For its log and its own files.
        workers: Worker processes.
        port: On 127.0.0.1; a free one if None.
        descriptors: Most open file descriptors of each process; unchanged if 0.
        **settings: Other settings, such as ``timeout_s``.

    Raises:
        PeerError: It does not become ready.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # A server stops at once, unless a scenario is about that.
    chosen = {"drain_s": 0, **settings}
    variables = {f"LECTERN_{name.upper()}": str(value) for name, value in chosen.items()}
    variables |= {"LECTERN_PORT": "{port}", "TMPDIR": str(temporary)}
    system = with_workers(replace(all_systems()["lectern"], variables=tuple(variables.items())), workers)
    if descriptors:
        limit = f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({descriptors}, {descriptors})); "
        system = replace(system, arguments=("-c", limit + _START, "serve"))
    with running(system, Path(sys.executable), folder, port=port or free_port()) as process:
        yield Server(process, temporary)


def resident_mb(processes: Sequence[psutil.Process]) -> float:
    """Return the resident memory of processes in MB (10^6 bytes); one that has ended has none."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / 1e6


def deployment() -> dict[str, Any]:
    """Return the Deployment of the Kubernetes manifests."""
    found: dict[str, Any] = yaml.safe_load(_MANIFEST.read_text(encoding="utf-8"))
    return found


def memory_limit_mb() -> float:
    """Return the memory limit of the container in the Kubernetes manifest, in MB (10^6 bytes)."""
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    return parse_memory_mb(container["resources"]["limits"]["memory"])


def parse_memory_mb(text: str) -> float:
    """Return a Kubernetes quantity of memory, such as ``1Gi``, in MB (10^6 bytes)."""
    number, unit = re.fullmatch(r"([\d.]+)([KMG]i?)", text).groups()  # type: ignore[union-attr]
    base = 1024 if unit.endswith("i") else 1000
    return float(number) * base ** ("KMG".index(unit[0]) + 1) / 1e6


def _listens(process: psutil.Process, port: int) -> bool:
    sockets = process.net_connections("tcp")
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)


def _count_accepted(process: psutil.Process) -> int:
    return sum(one.status != psutil.CONN_LISTEN for one in process.net_connections("tcp"))


def _peak_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6  # type: ignore[index]
