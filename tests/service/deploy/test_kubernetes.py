"""Tests that the cluster's manifest, the container file and the server agree with each other."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings, variable

DEPLOY = Path(__file__).resolve().parents[3] / "service" / "deploy"
DEPLOYMENT, SERVICE = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
POD: dict[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.fixture
def settings() -> Settings:
    """The settings that the pod's variables make, every one of them known."""
    given = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}
    assert set(given) <= {variable(name) for name in Settings.__struct_fields__}
    return Settings.from_environment(given)


def test_the_service_finds_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert SERVICE["spec"]["selector"] == DEPLOYMENT["spec"]["selector"]["matchLabels"] == labels


def test_every_way_in_leads_to_the_servers_port(settings: Settings) -> None:
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == settings.port
    targets = {SERVICE["spec"]["ports"][0]["targetPort"]}
    targets |= {
        CONTAINER[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert targets == {port["name"]}


def test_a_pod_that_is_not_ready_is_not_restarted_for_it() -> None:
    paths = {probe: CONTAINER[probe]["httpGet"]["path"] for probe in CONTAINER if probe.endswith("Probe")}
    assert paths == {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_there_is_time_to_finish_what_was_begun(settings: Settings) -> None:
    wait = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > wait + settings.timeout_s
    # Two readiness checks pass before the endpoints change.
    assert wait >= CONTAINER["readinessProbe"]["periodSeconds"] * 2


def test_a_pod_is_one_worker_so_that_probes_see_it(settings: Settings) -> None:
    assert settings.workers == 1


def test_the_pod_is_the_user_of_the_container_file_and_has_no_rights() -> None:
    user = f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}"
    assert f"USER {user}\n" in (DEPLOY / "Dockerfile").read_text()
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_read_only_root_leaves_the_folder_that_bentoml_writes_to() -> None:
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert writable == {"/tmp"}
    assert "BENTOML_HOME=/tmp/" in (DEPLOY / "Dockerfile").read_text()
