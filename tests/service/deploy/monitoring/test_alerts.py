"""Tests the alerts and Prometheus' configuration with its own tool."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

_FOLDER = Path(__file__).resolve().parents[4] / "service" / "deploy" / "monitoring"
_UNIT_TESTS = Path(__file__).with_name("alerts_test.yml")


def _promtool(*arguments: object) -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool; on Debian or Ubuntu: apt-get install prometheus")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_configuration_and_finds_the_alerts() -> None:
    printed = _promtool("check", "config", _FOLDER / "prometheus.yml")
    count = len(yaml.safe_load((_FOLDER / "alerts.yml").read_text())["groups"][0]["rules"])
    assert f"{count} rules found" in printed


def test_alerts_fire_when_they_should_and_stay_silent_in_a_quiet_hour() -> None:
    _promtool("test", "rules", _UNIT_TESTS)


def test_every_alert_has_a_unit_test_and_says_what_to_do() -> None:
    rules = yaml.safe_load((_FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
    cases = [
        case
        for group in yaml.safe_load(_UNIT_TESTS.read_text())["tests"]
        for case in group.get("alert_rule_test", ())
    ]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {rule["alert"] for rule in rules}
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}
