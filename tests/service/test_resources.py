"""The processor cores and the memory that a container allows, in cgroups of version 1 and 2."""

import os
from pathlib import Path

import pytest

from service.inference.errors import SettingsError
from service.resources import Resources, available, resident_memory
from service.settings import Settings

_MB = 1_000_000
_UNLIMITED_V1 = "9223372036854771712"


@pytest.fixture(autouse=True)
def _large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 cores and 256 GB."""
    sizes = {"SC_PHYS_PAGES": 64_000_000, "SC_PAGE_SIZE": 4000}
    monkeypatch.setattr(os, "sysconf", lambda name: sizes[name])
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)


def _root(folder: Path, groups: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("", {}, (64, 256_000 * _MB)),
        # Version 2: as a container sees its own group, and as a service of the machine sees its own.
        ("0::/\n", {"cpu.max": "100000 100000\n", "memory.max": "1073741824\n"}, (1, 1_073_741_824)),
        ("0::/\n", {"cpu.max": "max 100000\n", "memory.max": "max\n"}, (64, 256_000 * _MB)),
        (
            "0::/lectern.slice/web\n",
            {
                "lectern.slice/web/cpu.max": "250000 100000",
                "lectern.slice/web/memory.max": "max",
                "lectern.slice/cpu.max": "max 100000",
                "lectern.slice/memory.max": "700000000",
            },
            (3, 700 * _MB),
        ),
        # A part of a core is one thread, and a path from outside the container is not in its tree.
        ("0::/../../kubepods/pod1\n", {"cpu.max": "50000 100000", "memory.max": "5"}, (1, 5)),
        # Version 1.
        (
            "5:cpu,cpuacct:/\n4:memory:/\n",
            {
                "cpu/cpu.cfs_quota_us": "400000",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": "1073741824",
            },
            (4, 1_073_741_824),
        ),
        (
            "5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n",
            {
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": _UNLIMITED_V1,
                "memory/docker/1/memory.limit_in_bytes": "800000000",
            },
            (64, 800 * _MB),
        ),
        ("0::/\n", {"cpu.max": "", "memory.max": "damaged"}, (64, 256_000 * _MB)),
    ],
)
def test_the_tightest_limit_counts(
    tmp_path: Path, groups: str, files: dict[str, str], expected: tuple[int, int]
) -> None:
    root = _root(tmp_path, groups, {f"sys/fs/cgroup/{name}": text for name, text in files.items()})
    assert available(root) == Resources(*expected)


def test_a_setting_lowers_the_limits_and_zero_does_not() -> None:
    machine = Resources(cpus=8, memory=4000 * _MB)
    assert machine.limited(cpus=2, memory=900 * _MB) == Resources(2, 900 * _MB)
    assert machine.limited(cpus=0, memory=0) == machine == machine.limited(cpus=99, memory=10**12)


def test_a_worker_runs_no_more_networks_at_once_than_its_memory_holds() -> None:
    assert Resources(64, 1073 * _MB).of_one_worker(1) == Resources(4, 1073 * _MB)
    assert Resources(64, 64_000 * _MB).of_one_worker(8) == Resources(8, 8000 * _MB)
    assert Resources(1, 100 * _MB).of_one_worker(4) == Resources(1, 25 * _MB)


@pytest.mark.parametrize(
    ("cpus", "memory_mb", "workers"), [("4", "0", 4), ("0", "0", 64), ("8", "1300", 2), ("2", "300", 1)]
)
def test_auto_is_one_worker_for_each_core_as_far_as_the_memory_lasts(
    cpus: str, memory_mb: str, workers: int
) -> None:
    environment = {"LECTERN_WORKERS": "auto", "LECTERN_CPUS": cpus, "LECTERN_MEMORY_MB": memory_mb}
    assert Settings.from_environment(environment).workers == workers


@pytest.mark.parametrize("text", ["0", "65", "two", "-1"])
def test_other_numbers_of_workers_are_an_error(text: str) -> None:
    with pytest.raises(SettingsError, match="a whole number from 1 to 64, or auto"):
        Settings.from_environment({"LECTERN_WORKERS": text})


def test_the_memory_of_the_process_is_known_or_estimated(tmp_path: Path) -> None:
    _root(tmp_path, "", {"proc/self/statm": "9000 5000 100 1 0 2958 0\n"})
    assert resident_memory(tmp_path) == 20 * _MB
    assert resident_memory(tmp_path / "missing") > 100 * _MB
