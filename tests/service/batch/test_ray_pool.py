"""On a Ray cluster of two nodes, batches give what processes give, whatever is killed."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from batches.cluster import RayCluster, ray_cluster

pytest.importorskip("ray", reason="Ray has no wheel for this Python or this system")

Start = Callable[..., subprocess.Popen[str]]
Run = Callable[..., tuple[int, str]]
Rows = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as started:
        yield started
        assert not started.stop()


@pytest.fixture
def words(pictures: Path, tmp_path: Path) -> tuple[object, ...]:
    """A batch of 6,000 inputs."""
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in sorted(pictures.iterdir())) * 100)
    return ("mnist", "@list", "--shard-size", 100)


@pytest.mark.timeout(400)
def test_killed_workers_nodes_and_drivers_cost_nothing(
    cluster: RayCluster,
    words: tuple[object, ...],
    start_batch: Start,
    run_batch: Run,
    rows: Rows,
    tmp_path: Path,
    wait_for_parts: Callable[..., None],
) -> None:
    assert run_batch(*words, "--out", "plain", "--workers", 2)[0] == 0
    batch = (*words, "--out", "out", "--engine", "ray", "--address", cluster.address, "--workers", 2)
    process = start_batch(*batch)
    wait_for_parts(process, tmp_path / "out", 3)
    cluster.actors()[0].kill()
    wait_for_parts(process, tmp_path / "out", 8)
    process.kill()
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    process = start_batch(*batch, "--resume")
    wait_for_parts(process, tmp_path / "out", len(before) + 4)
    cluster.replace_node()
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, output + errors
    assert rows(tmp_path / "out") == rows(tmp_path / "plain")
    assert before.items() <= {path: path.stat().st_mtime_ns for path in before}.items()


@pytest.mark.timeout(200)
def test_a_cluster_that_cannot_be_reached_is_named(words: tuple[object, ...], run_batch: Run) -> None:
    status, text = run_batch(*words, "--out", "out", "--engine", "ray", "--address", "127.0.0.1:1")
    assert (status, "the Ray cluster at 127.0.0.1:1 cannot be used" in text) == (2, True), text
