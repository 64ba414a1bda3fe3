"""On a Ray cluster of two nodes, batches give what processes give, whatever is killed."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("ray", reason="Ray has no wheel for this Python or this system")

Start = Callable[..., subprocess.Popen[str]]
Run = Callable[..., tuple[int, str]]
Rows = Callable[[Path], list[dict[str, Any]]]

# Ray leaves its own files and sockets open, so that the cluster is in a process of its own.
_CLUSTER = """
import sys
from ray.cluster_utils import Cluster
options = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=options)
options.pop("include_dashboard")
node = cluster.add_node(**options)
print(cluster.address, flush=True)
for line in sys.stdin:
    if line == "kill\\n":
        cluster.remove_node(node, allow_graceful=False)
        node = cluster.add_node(**options)
    print("done", flush=True)
cluster.shutdown()
"""


class Cluster:
    """Two nodes with one core each."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address

    def replace_node(self) -> None:
        """Kill the second node, and start another one."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    import sys

    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[3])
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", _CLUSTER],
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        yield Cluster(process, process.stdout.readline().strip())


@pytest.fixture
def words(pictures: Path, tmp_path: Path) -> tuple[object, ...]:
    """A batch of 6,000 inputs."""
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in sorted(pictures.iterdir())) * 100)
    return ("mnist", "@list", "--shard-size", 100)


def _wait_for_parts(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    while process.poll() is None and len(list(folder.glob("part-*"))) < number:
        pass
    assert process.poll() is None, process.communicate()


def _actors() -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "ray::_Actor" in " ".join(process.info["cmdline"] or ())
    ]


@pytest.mark.timeout(400)
def test_killed_workers_nodes_and_drivers_cost_nothing(
    cluster: Cluster,
    words: tuple[object, ...],
    start_batch: Start,
    run_batch: Run,
    rows: Rows,
    tmp_path: Path,
) -> None:
    assert run_batch(*words, "--out", "plain", "--workers", 2)[0] == 0
    batch = (*words, "--out", "out", "--engine", "ray", "--address", cluster.address, "--workers", 2)
    process = start_batch(*batch)
    _wait_for_parts(process, tmp_path / "out", 3)
    _actors()[0].kill()
    _wait_for_parts(process, tmp_path / "out", 8)
    process.kill()
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    process = start_batch(*batch, "--resume")
    _wait_for_parts(process, tmp_path / "out", len(before) + 4)
    cluster.replace_node()
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, output + errors
    assert rows(tmp_path / "out") == rows(tmp_path / "plain")
    assert before.items() <= {path: path.stat().st_mtime_ns for path in before}.items()


@pytest.mark.timeout(200)
def test_a_cluster_that_cannot_be_reached_is_named(words: tuple[object, ...], run_batch: Run) -> None:
    status, text = run_batch(*words, "--out", "out", "--engine", "ray", "--address", "127.0.0.1:1")
    assert (status, "the Ray cluster at 127.0.0.1:1 cannot be used" in text) == (2, True), text
