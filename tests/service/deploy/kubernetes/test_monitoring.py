"""The component has the alerts and the dashboard of the compose file.

``README_REFRESH=1 ./run test tests/service/deploy/kubernetes/test_monitoring.py`` writes the alerts again.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Objects = list[dict[str, Any]]
Render = Callable[..., Objects]
Find = Callable[..., dict[str, Any]]

_MONITORING = Path(__file__).resolve().parents[4] / "service" / "deploy" / "monitoring"
_HEAD = """# The alerts of service/deploy/monitoring/alerts.yml; test_monitoring.py writes this file.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: lectern
  labels: {app.kubernetes.io/name: lectern}
spec:
"""


def _rule_file() -> str:
    alerts = (_MONITORING / "alerts.yml").read_text()
    lines = alerts[alerts.index("groups:") :].splitlines()
    return _HEAD + "".join(f"  {line}\n" if line else "\n" for line in lines)


def test_the_alerts_are_those_of_the_compose_file(folder: Path) -> None:
    path = folder / "components" / "monitoring" / "prometheus-rule.yaml"
    if os.environ.get("README_REFRESH"):
        path.write_text(_rule_file())
    assert path.read_text() == _rule_file()


def test_prometheus_accepts_the_rendered_alerts(render: Render, find: Find, tmp_path: Path) -> None:
    rule = find(render("monitoring"), "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((_MONITORING / "alerts.yml").read_text())
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool; on Debian or Ubuntu: apt-get install prometheus")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rule["spec"]))
    done = subprocess.run(
        [program, "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_find_the_job_of_the_scraped_pods(render: Render, find: Find) -> None:
    objects = render("monitoring")
    label = find(objects, "ServiceMonitor")["spec"]["jobLabel"]
    job = find(objects, "Service")["metadata"]["labels"][label]
    assert f'job="{job}"' in str(find(objects, "PrometheusRule")["spec"])


def test_the_dashboard_is_that_of_the_compose_file(render: Render, find: Find) -> None:
    found = find(render("monitoring"), "ConfigMap", "lectern-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = found["data"].values()
    assert json.loads(text) == json.loads((_MONITORING / "grafana" / "dashboard.json").read_text())
