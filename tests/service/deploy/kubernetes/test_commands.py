"""kubectl accepts every command of the runbook, and each does what it says in a simulated cluster."""

import base64
import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
RUNBOOK = ROOT / "service" / "deploy" / "README.md"
SERVER = Path(__file__).with_name("api_server.py")

Read = Callable[[str], dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """Start a simulated API server for kubectl; return the object at a path of it."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(SERVER)], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        address = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": address}}],
            "contexts": [{"name": "test", "context": {"cluster": "test"}}],
        }
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        monkeypatch.setenv("HOME", str(tmp_path))  # where kubectl keeps what it has learned of a server

        def found(path: str) -> dict[str, Any]:
            with urllib.request.urlopen(address + path, timeout=60) as response:
                item: dict[str, Any] = json.load(response)
                return item

        yield found


def _commands() -> list[str]:
    """Return the whole commands of the runbook, but for the one that needs a running pod."""
    found = re.findall(r"kubectl (?:-n|apply|label|kustomize) [^`#\n]+", RUNBOOK.read_text("utf-8"))
    return [command.strip() for command in found if "port-forward" not in command]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="there is no kubectl")
def test_every_command_of_the_runbook_does_what_it_says(read: Read, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(RUNBOOK.parent, checkout / "service" / "deploy")
    (checkout / "FILE").write_text("team: key")
    overlay = checkout / "service" / "deploy" / "kubernetes" / "overlays" / "example" / "kustomization.yaml"
    images, done = list[str](), list[str]()

    def deployment() -> dict[str, Any]:
        spec: dict[str, Any] = read("/apis/apps/v1/namespaces/lectern/deployments/lectern")["spec"]
        return spec

    for command in _commands():
        if command in done:  # an upgrade
            overlay.write_text(overlay.read_text().replace('newTag: "0.1.0"', 'newTag: "0.2.0"'))
        run = subprocess.run(
            shlex.split(command), cwd=checkout, capture_output=True, text=True, timeout=60, check=False
        )
        assert run.returncode == 0, f"{command}: {run.stderr}"
        done.append(command)
        if "apply -k" in command or "undo" in command:
            (container,) = deployment()["template"]["spec"]["containers"]
            images.append(container["image"].rpartition(":")[2])
    assert images == ["0.1.0", "0.2.0", "0.1.0"]
    assert deployment()["replicas"] == 6
    assert "kubectl.kubernetes.io/restartedAt" in deployment()["template"]["metadata"]["annotations"]
    keys = read("/api/v1/namespaces/lectern/secrets/lectern-api-keys")["data"]
    assert base64.b64decode(keys["api-keys"]) == b"team: key"
    label = read("/api/v1/namespaces/ingress-nginx")["metadata"]["labels"]
    assert label == {"lectern-client": "true"}
