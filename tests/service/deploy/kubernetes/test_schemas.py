"""The manifests are valid objects of the five newest versions of Kubernetes that the validator knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

kubernetes_validate = pytest.importorskip("kubernetes_validate")

# Kinds that are not of Kubernetes itself; the tests of the components check what they refer to.
CUSTOM = {"ServiceMonitor", "PrometheusRule", "ScaledObject", "Route"}
ROOT = Path(__file__).resolve().parents[4]
MANIFESTS = [
    path
    for path in sorted((ROOT / "service" / "deploy" / "kubernetes").rglob("*.yaml"))
    if path.name != "kustomization.yaml"
]


def _versions() -> list[str]:
    folders = Path(kubernetes_validate.__file__).parent.glob("kubernetes-json-schema/v*-local-strict")
    numbers = sorted(tuple(map(int, folder.name[1:].split("-")[0].split("."))) for folder in folders)
    return [".".join(map(str, number)) for number in numbers[-5:]]


def _check(document: dict[str, Any], version: str) -> None:
    if document["kind"] not in CUSTOM:
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name + "/" + path.stem)
def test_each_file_is_valid(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        _check(document, _versions()[-1])


def test_the_rendered_manifests_are_valid(render: Callable[..., list[dict[str, Any]]]) -> None:
    for names in (
        ("autoscale-cpu", "grpc", "models-volume", "ingress", "monitoring", "api-keys"),
        ("openshift",),
    ):
        for document in render(*names):
            for version in _versions():
                _check(document, version)


def test_the_validator_refuses_a_field_that_does_not_exist(folder: Path) -> None:
    document = yaml.safe_load((folder / "base" / "deployment.yaml").read_text())
    document["spec"]["template"]["spec"]["gracePeriod"] = 5
    with pytest.raises(kubernetes_validate.ValidationError, match="gracePeriod"):
        _check(document, _versions()[-1])
