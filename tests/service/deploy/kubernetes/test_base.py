"""Tests that the base of the Kubernetes manifests, the container file and the settings match."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings, variable

DEPLOY = Path(__file__).resolve().parents[4] / "service" / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
DEPLOYMENT, SERVICE, BUDGET, POLICY = (
    yaml.safe_load((BASE / f"{name}.yaml").read_text())
    for name in ("deployment", "service", "pod-disruption-budget", "network-policy")
)
POD: dict[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.fixture
def settings() -> Settings:
    """The settings in the pod's variables, all of which are known."""
    variables = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}
    assert set(variables) <= {variable(name) for name in Settings.__struct_fields__}
    return Settings.from_environment(variables)


def test_service_selects_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert SERVICE["spec"]["selector"] == DEPLOYMENT["spec"]["selector"]["matchLabels"] == labels


def test_everything_selects_the_pods_of_the_server_alone() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert BUDGET["spec"]["selector"]["matchLabels"] == labels
    # An empty selector would cut off all pods of the namespace.
    assert POLICY["spec"]["podSelector"]["matchLabels"] == labels
    assert [rule["labelSelector"]["matchLabels"] for rule in POD["topologySpreadConstraints"]] == [labels] * 2


def test_all_objects_of_the_base_are_rendered() -> None:
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert {path.name for path in BASE.glob("*.yaml")} == {*names, "kustomization.yaml"}


def test_the_budget_lets_a_node_be_drained() -> None:
    assert BUDGET["spec"]["maxUnavailable"] == 1
    assert DEPLOYMENT["spec"]["replicas"] > 1


def test_all_ports_are_the_servers_port(settings: Settings) -> None:
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == settings.port
    targets = {SERVICE["spec"]["ports"][0]["targetPort"]}
    targets |= {
        CONTAINER[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert targets == {port["name"]}


def test_variables_of_a_service_named_lectern_do_not_reach_the_settings(settings: Settings) -> None:
    assert POD["enableServiceLinks"] is False
    # The Service of the manifest would set LECTERN_PORT, so that the port is set explicitly, too.
    assert SERVICE["metadata"]["name"] == "lectern"
    assert "LECTERN_PORT" in {variable["name"] for variable in CONTAINER["env"]}


def test_liveness_and_readiness_are_separate_probes() -> None:
    paths = {probe: CONTAINER[probe]["httpGet"]["path"] for probe in CONTAINER if probe.endswith("Probe")}
    assert paths == {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_grace_period_covers_running_requests(settings: Settings) -> None:
    wait = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > wait + settings.drain_s + settings.timeout_s
    # The endpoints change after two failed readiness checks.
    assert wait >= CONTAINER["readinessProbe"]["periodSeconds"] * 2


def test_pod_has_one_worker(settings: Settings) -> None:
    assert settings.workers == 1


def test_pod_runs_as_the_images_unprivileged_user() -> None:
    user = f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}"
    assert f"USER {user}\n" in (DEPLOY / "Dockerfile").read_text()
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_bentoml_folder_is_writable_on_a_read_only_root() -> None:
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert writable == {"/tmp"}
    assert "BENTOML_HOME=/tmp/" in (DEPLOY / "Dockerfile").read_text()


def test_the_memory_of_the_temporary_files_is_within_the_limit() -> None:
    (volume,) = POD["volumes"]
    unit = {"Mi": 1}
    sizes = [volume["emptyDir"]["sizeLimit"], CONTAINER["resources"]["limits"]["ephemeral-storage"]]
    small, large = (int(size[:-2]) * unit[size[-2:]] for size in sizes)
    assert small < large
