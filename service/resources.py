"""Finds out how many processor cores and how much memory the server may use.

A container restricts both by control groups (cgroups), of version 1 or 2. The number of cores and the memory
of the machine do not show that.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# For systems that do not tell.
_DEFAULT_MEMORY = 4_000_000_000
_DEFAULT_RESIDENT = 300_000_000
# A worker with one small model, the process that starts it, and the least memory for requests.
LEAST_WORKER_MEMORY = 250_000_000
# A worker with the committed models, and room for the requests of one.
_WORKER_MEMORY = 600_000_000
_MAX_WORKERS = 64
_CORE_MEMORY = 250_000_000


@dataclass(frozen=True)
class Resources:
    """What a server may use.

    Attributes:
        cpus: Processor cores, at least 1. A part of a core counts as a whole one.
        memory: Bytes.
    """

    cpus: int
    memory: int

    def limited(self, *, cpus: int, memory: int) -> "Resources":
        """Return at most so many cores and so many bytes; 0 is no limit."""
        return Resources(min(self.cpus, cpus or self.cpus), min(self.memory, memory or self.memory))

    def of_one_worker(self, workers: int) -> "Resources":
        """Return the share of one of several worker processes.

        Each core runs a network, which needs memory. So the share of the memory limits the number of cores,
        too.
        """
        memory = self.memory // workers
        return Resources(max(1, min(self.cpus // workers, memory // _CORE_MEMORY)), memory)

    @property
    def workers(self) -> int:
        """The number of worker processes: one for each core, as far as the memory lasts."""
        return max(1, min(self.cpus, self.memory // _WORKER_MEMORY, _MAX_WORKERS))


def available(root: Path = Path("/")) -> Resources:
    """Return the cores and the memory that this process may use.

    Args:
        root: Folder that holds ``proc`` and ``sys``.
    """
    groups = _Groups(root)
    return Resources(
        cpus=max(1, min([_cores(), *map(math.ceil, groups.cpus())])),
        memory=min([_machine_memory(), *groups.memory()]),
    )


def resident_memory(root: Path = Path("/")) -> int:
    """Return the memory of this process in bytes; a typical figure where the system does not tell."""
    try:
        pages = int((root / "proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_RESIDENT
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _machine_memory() -> int:
    if not hasattr(os, "sysconf"):
        return _DEFAULT_MEMORY
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class _Groups:
    """The control groups of this process. The limits of a group hold for the groups below it, too."""

    def __init__(self, root: Path) -> None:
        self._mount = root / "sys/fs/cgroup"
        # Path of the group by its controller; version 2 has one path for all, whose key is empty.
        self._paths: dict[str, str] = {}
        try:
            lines = (root / "proc/self/cgroup").read_text().splitlines()
        except OSError:
            return
        for line in lines:
            _, controllers, path = line.split(":", 2)
            self._paths |= dict.fromkeys(controllers.split(","), path)

    def cpus(self) -> Iterator[float]:
        """Yield the limits in cores."""
        for folder in self._folders("cpu"):
            quota, period = _numbers(folder / "cpu.cfs_quota_us"), _numbers(folder / "cpu.cfs_period_us")
            for parts in (quota + period, _numbers(folder / "cpu.max")):
                if len(parts) == 2 and min(parts) > 0:
                    yield parts[0] / parts[1]

    def memory(self) -> Iterator[int]:
        """Yield the limits in bytes."""
        for folder in self._folders("memory"):
            for name in ("memory.max", "memory.limit_in_bytes"):
                yield from (size for size in _numbers(folder / name) if size > 0)

    def _folders(self, controller: str) -> Iterator[Path]:
        """Yield the folders of the process's group and of those above it, in both versions."""
        for key, mount in ((controller, self._mount / controller), ("", self._mount)):
            path = Path(self._paths.get(key, "/").lstrip("/"))
            # In a container the mounted tree can begin at the own group, which lacks the path.
            yield from (mount / part for part in (path, *path.parents) if ".." not in part.parts)


def _numbers(path: Path) -> list[int]:
    """Return the whole numbers in a file; ``max`` is none."""
    try:
        return [int(word) for word in path.read_text().split() if word != "max"]
    except (OSError, ValueError):
        return []
