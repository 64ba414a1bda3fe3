"""The simulation agrees with queueing theory, and the runbook with the simulation and the manifests."""

from pathlib import Path

import pytest
import yaml
from capacity.command import TARGET, levels_table, pods_table
from capacity.queueing import simulate, utilization_for

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = ROOT / "service" / "deploy" / "kubernetes" / "components"


@pytest.mark.parametrize("utilization", [0.3, 0.6, 0.8])
def test_equal_service_times_give_the_formula_of_pollaczek_and_khinchine(utilization: float) -> None:
    expected = utilization + utilization**2 / (2 * (1 - utilization))
    assert simulate([0.01], utilization=utilization).in_flight == pytest.approx(expected, rel=0.03)
    assert utilization_for(expected) == pytest.approx(utilization)


def test_different_service_times_make_requests_wait_longer() -> None:
    second_moment = (1 + 9) / 2
    expected = 0.6 + (0.6 / 2) ** 2 * second_moment / (2 * (1 - 0.6))
    assert simulate([1.0, 3.0], utilization=0.6).in_flight == pytest.approx(expected, rel=0.05)


def test_random_pods_are_as_full_as_one_pod() -> None:
    one, many = simulate([1.0], utilization=0.6), simulate([1.0], utilization=0.6, pods=8)
    assert many.in_flight == pytest.approx(one.in_flight, rel=0.05)


def test_both_autoscalers_aim_at_the_same_utilization() -> None:
    cpu = yaml.safe_load((COMPONENTS / "autoscale-cpu" / "horizontal-pod-autoscaler.yaml").read_text())
    (metric,) = cpu["spec"]["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 100 * TARGET
    keda = yaml.safe_load((COMPONENTS / "autoscale-keda" / "scaled-object.yaml").read_text())
    (trigger,) = keda["spec"]["triggers"]
    assert utilization_for(float(trigger["metadata"]["threshold"])) == pytest.approx(TARGET, abs=0.02)


def test_the_tables_of_the_runbook_are_current() -> None:
    text = (ROOT / "service" / "deploy" / "README.md").read_text("utf-8")
    assert levels_table() in text
    assert pods_table() in text
