"""The metrics that the scaler asks for exist on the real server."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml


def test_metrics_of_the_scaler_exist(
    folder: Path, free_port: Callable[[], int], wait_until_ready: Callable[..., float], models_folder: Path
) -> None:
    scaled = yaml.safe_load((folder / "components" / "autoscale-keda" / "scaled-object.yaml").read_text())
    (trigger,) = scaled["spec"]["triggers"]
    names = set(re.findall(r"\blectern_\w+", trigger["metadata"]["query"]))
    assert names
    port = free_port()
    settings = {"PORT": str(port), "MODELS": str(models_folder), "DRAIN_S": "0"}
    environment = os.environ | {f"LECTERN_{name}": value for name, value in settings.items()}
    start = [sys.executable, "-c", "from service.cli import main; main()", "serve"]
    with subprocess.Popen(
        start, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_until_ready(port, lambda: server.poll() is None)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
                text = response.read().decode()
        finally:
            server.terminate()
    routes = re.search(r'route!~"([^"]+)"', trigger["metadata"]["query"])
    assert routes
    # Probes and scrapes have these routes in the metrics, too.
    assert set(routes[1].split("|")) - set(re.findall(r'route="([^"]*)"', text)) <= {
        "/livez",
        "/healthz",
        "/metrics",
    }
    assert names <= set(re.findall(r"^(lectern_\w+)(?:\{.*\})? ", text, re.MULTILINE))
