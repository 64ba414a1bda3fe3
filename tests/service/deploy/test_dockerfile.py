"""Tests of the container file that need no container engine."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[3]
Instruction = tuple[str, str]


def read_stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, without comments and with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "service/deploy/Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    instructions = [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]
    starts = [index for index, (word, _) in enumerate(instructions) if word == "FROM"]
    return [instructions[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


BUILD, FINAL = read_stages()


def one(word: str) -> str:
    """Return the only such instruction of the final stage."""
    (found,) = [rest for name, rest in FINAL if name == word]
    return found


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in one("ENV").split())


def test_both_stages_use_the_base_image() -> None:
    assert BUILD[0] == ("FROM", "${BASE_IMAGE} AS build")
    assert FINAL[0] == ("FROM", "${BASE_IMAGE}")


def test_only_server_models_and_packages_are_copied() -> None:
    taken = {source for word, rest in BUILD if word == "COPY" for source in rest.split()[:-1]}
    requirements = {f"service/deploy/requirements{name}.txt" for name in ("", "-build", "-gpu")}
    assert taken == {*requirements, "pyproject.toml", "README.md", "LICENSE", "service"}
    assert [rest for word, rest in FINAL if word == "COPY"] == [
        "--from=build /opt/lectern /opt/lectern",
        "models /srv/lectern/models",
    ]


def test_nothing_is_installed_in_the_final_stage() -> None:
    commands = " ".join(rest for word, rest in FINAL if word == "RUN")
    assert not re.search(r"\b(pip|apt|apt-get|apk|uv)\b", commands)


def test_packages_are_installed_only_if_their_hash_is_known() -> None:
    environment = dict(pair.split("=", 1) for word, rest in BUILD if word == "ENV" for pair in rest.split())
    assert environment["PIP_NO_DEPS"] == "1"
    assert environment["PIP_ONLY_BINARY"] == ":all:"
    commands = " && ".join(rest for word, rest in BUILD if word == "RUN").split(" && ")
    installs = [command for command in commands if re.search(r"\bpip\b.* (install|wheel) ", command)]
    of_files = [command for command in installs if "-r " in command]
    assert all("--require-hashes" in command for command in of_files)
    # The others build and install Lectern, without packages from elsewhere.
    wheel, lectern = (command.strip() for command in installs if command not in of_files)
    assert wheel.endswith(" wheel --no-build-isolation --wheel-dir wheels .")
    assert lectern.endswith(" install wheels/*.whl")


def test_labels_describe_the_image() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', one("LABEL")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    assert labels["revision"] == "${REVISION}"
    assert labels["base.name"] == "${BASE_IMAGE}"
    assert set(labels) == {"title", "description", "version", "licenses", "revision", "base.name"}


def test_build_context_excludes_everything_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!")} == {
        "!pyproject.toml",
        "!README.md",
        "!LICENSE",
        "!service",
        "!models",
    }


def test_container_does_not_run_as_root() -> None:
    user, group = one("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_server_starts_without_a_shell() -> None:
    assert json.loads(one("CMD")) == ["lectern", "serve"]


def test_environment_has_only_known_settings() -> None:
    known = {variable(name) for name in Settings.__struct_fields__}
    variables = {name: value for name, value in environment().items() if name.startswith("LECTERN_")}
    assert set(variables) <= known
    settings = Settings.from_environment(variables)
    assert settings.host == "0.0.0.0"
    assert settings.port == int(one("EXPOSE"))
    assert str(settings.models) == "/srv/lectern/models"


def test_exited_worker_is_restarted() -> None:
    # With this variable BentoML leaves the restart to the container engine.
    assert "BENTOML_CONTAINERIZED" not in environment()


def test_telemetry_is_off() -> None:
    assert environment()["BENTOML_DO_NOT_TRACK"] == "True"
    assert environment()["ORT_DISABLE_TELEMETRY"] == "1"


@contextmanager
def server_with_status(status: int) -> Iterator[tuple[int, list[str]]]:
    """Run a server that answers with a status; yields its port and the requested paths."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], paths
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_health_check_requests_readiness(status: int, healthy: bool) -> None:
    command = json.loads(one("HEALTHCHECK").partition("CMD")[2])
    assert command[0] == "python"
    with server_with_status(status) as (port, paths):
        done = subprocess.run(
            [sys.executable, *command[1:]],
            env={"LECTERN_PORT": str(port)},
            capture_output=True,
            check=False,
        )
    assert (done.returncode == 0) == healthy
    assert paths == ["/readyz"]
