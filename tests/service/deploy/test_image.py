"""Builds the container image with docker or podman, and runs it.

Set ``TEST_BASE_IMAGE`` to a base image that the engine has. The build downloads the packages, which takes
minutes, so the tests are skipped without it.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.client import Client

ROOT = Path(__file__).resolve().parents[3]
BASE = os.environ.get("TEST_BASE_IMAGE", "")
ADDED_MB = 330  # of which 27 are for HEIC
RESTRICTED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@dataclass(frozen=True)
class Engine:
    """A container engine with docker's command line."""

    program: str

    def __call__(self, *words: str) -> str:
        done = subprocess.run([self.program, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{self.program} {' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def inspect(self, name: str) -> Any:
        (found,) = json.loads(self("inspect", name))
        return found

    def is_running(self, container: str) -> bool:
        return bool(self.inspect(container)["State"]["Running"])


@dataclass(frozen=True)
class Container:
    """A container whose server is ready."""

    engine: Engine
    id: str
    port: int
    start_s: float


@pytest.fixture(scope="module")
def engine() -> Engine:
    if not BASE:
        pytest.skip("TEST_BASE_IMAGE names no base image; tests/README.md says how to run these tests")
    for program in ("docker", "podman"):
        works = shutil.which(program) and subprocess.run([program, "info"], capture_output=True, check=False)
        if works and works.returncode == 0:
            return Engine(program)
    pytest.skip("neither docker nor podman can run a container here")


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """The name of the image, built from this checkout."""
    options = ["--build-arg", f"BASE_IMAGE={BASE}", "--build-arg", "REVISION=a1b2c3"]
    if engine.program == "podman":
        options += ["--format", "docker"]  # the OCI format has no health check
    engine("build", "-f", "service/deploy/Dockerfile", *options, "-t", "lectern-test", ".")
    return "lectern-test"


@pytest.fixture
def run(
    engine: Engine,
    image: str,
    free_port: Callable[[], int],
    wait_until_ready: Callable[[int, Callable[[], bool]], float],
) -> Callable[..., Any]:
    """Run a container while a ``with`` block lasts: ``run("--user", "1:1")``."""

    @contextmanager
    def start(*options: str) -> Iterator[Container]:
        port = free_port()
        container = engine("run", "-d", "-p", f"127.0.0.1:{port}:3000", *options, image)
        try:
            start_s = wait_until_ready(port, lambda: engine.is_running(container))
            yield Container(engine, container, port, start_s)
        finally:
            engine("rm", "--force", container)

    return start


def test_the_image_has_a_health_check_and_labels(engine: Engine, image: str) -> None:
    found = engine.inspect(image)
    check = found.get("Healthcheck") or found["Config"]["Healthcheck"]  # podman has its own place
    assert "/readyz" in str(check["Test"])
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == "a1b2c3"
    assert labels["org.opencontainers.image.base.name"] == BASE


def test_the_image_adds_little_to_its_base(engine: Engine, image: str) -> None:
    added = engine.inspect(image)["Size"] - engine.inspect(BASE)["Size"]
    assert 0 < added < ADDED_MB * 1e6


def test_the_image_lists_what_it_contains(engine: Engine, image: str) -> None:
    def read(name: str) -> str:
        return engine("run", "--rm", "--entrypoint", "cat", image, f"/opt/lectern/share/{name}")

    pinned = set(re.findall(r"^([\w-]+)==", (ROOT / "service/deploy/requirements.txt").read_text(), re.M))
    bill = json.loads(read("sbom.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    listed = {component["name"].lower().replace("_", "-") for component in bill["components"]}
    assert "onnxruntime" in listed
    assert listed <= pinned | {"lectern"}
    licences = read("licences.txt")
    for component in bill["components"]:
        (licence,) = re.findall(rf"^{component['name']}\n{component['version']}\n(.+)\n", licences, re.M)
        assert licence != "UNKNOWN", component["name"]


@pytest.mark.parametrize("user", [(), ("--user", "54321:0"), ("--user", "54321:54321")])
def test_every_user_can_run_the_server_without_rights(
    run: Callable[..., Any], eight: bytes, user: tuple[str, ...]
) -> None:
    with run(*RESTRICTED, *user) as container, Client(f"http://127.0.0.1:{container.port}") as client:
        assert client.predict("mnist", eight).best.label == "8"


def test_the_server_runs_with_little_memory_and_half_a_processor(
    run: Callable[..., Any], eight: bytes
) -> None:
    with (
        run("--memory", "512m", "--memory-swap", "512m", "--cpus", "0.5") as container,
        Client(f"http://127.0.0.1:{container.port}", timeout_s=60) as client,
    ):
        for name in ("mnist", "cifar10", "cats_vs_dogs"):
            for _ in range(20):
                client.predict(name, eight)
        assert container.engine.inspect(container.id)["State"]["OOMKilled"] is False


def test_the_container_stops_on_sigterm(run: Callable[..., Any]) -> None:
    with run() as container:
        container.engine("stop", "--time", "30", container.id)
        assert container.engine.inspect(container.id)["State"]["ExitCode"] == 0
