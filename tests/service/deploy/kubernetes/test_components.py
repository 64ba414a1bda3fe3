"""Each component changes what it says, on the manifests as kustomize renders them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings, variable

Objects = list[dict[str, Any]]
Render = Callable[..., Objects]
Find = Callable[..., dict[str, Any]]

COMPONENTS = sorted(
    path.parent.name
    for path in Path(__file__)
    .resolve()
    .parents[4]
    .glob("service/deploy/kubernetes/components/*/kustomization.yaml")
)


def _pod(objects: Objects, find: Find) -> dict[str, Any]:
    spec: dict[str, Any] = find(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def _container(objects: Objects, find: Find) -> dict[str, Any]:
    (container,) = _pod(objects, find)["containers"]
    result: dict[str, Any] = container
    return result


def _variables(objects: Objects, find: Find) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "secret") for entry in _container(objects, find)["env"]}


@pytest.mark.parametrize("component", COMPONENTS)
def test_variables_are_settings_that_the_server_takes(
    component: str, render: Render, find: Find, tmp_path: Path
) -> None:
    variables = _variables(render(component), find)
    assert set(variables) <= {variable(name) for name in Settings.__struct_fields__}
    if "LECTERN_API_KEYS_FILE" in variables:
        keys = tmp_path / "api-keys"
        keys.write_text("desktop: 6zDqBvgrQ2\n")
        variables["LECTERN_API_KEYS_FILE"] = str(keys)
    Settings.from_environment(variables)


@pytest.mark.parametrize("component", COMPONENTS)
def test_named_ports_are_ports_of_the_pod(component: str, render: Render, find: Find) -> None:
    objects = render(component)
    ports = {port["name"]: port["containerPort"] for port in _container(objects, find)["ports"]}
    named = [
        port["targetPort"] for item in objects if item["kind"] == "Service" for port in item["spec"]["ports"]
    ]
    rules = find(objects, "NetworkPolicy")["spec"]["ingress"]
    named += [port["port"] for rule in rules for port in rule["ports"]]
    assert set(named) <= set(ports)
    settings = {"http": "LECTERN_PORT", "grpc": "LECTERN_GRPC_PORT"}
    variables = _variables(objects, find)
    assert {name: int(variables[settings[name]]) for name in ports} == ports


def test_all_components_that_do_not_exclude_each_other_can_be_combined(render: Render) -> None:
    scalers = {"autoscale-cpu", "autoscale-keda"}
    for scaler in scalers:
        # The API keys come last: they add the key to what Prometheus sends.
        kinds = [
            item["kind"]
            for item in render(*sorted({*COMPONENTS} - scalers - {"api-keys"}), scaler, "api-keys")
        ]
        assert {"Deployment", "Service", "Ingress", "Route", "ServiceMonitor"} <= set(kinds)


@pytest.mark.parametrize(
    ("component", "kind"), [("autoscale-cpu", "HorizontalPodAutoscaler"), ("autoscale-keda", "ScaledObject")]
)
def test_a_scaler_owns_the_number_of_pods(component: str, kind: str, render: Render, find: Find) -> None:
    objects = render(component)
    deployment, scaler = find(objects, "Deployment"), find(objects, kind)
    assert "replicas" not in deployment["spec"]
    target = scaler["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])


def test_utilization_is_that_of_the_cores_that_the_server_uses(render: Render, find: Find) -> None:
    objects = render("autoscale-cpu")
    container = _container(objects, find)
    # The target is a part of the request, and the networks of a pod use no more cores than LECTERN_CPUS.
    assert container["resources"]["requests"]["cpu"] == _variables(objects, find)["LECTERN_CPUS"]


def test_both_scalers_have_the_same_bounds_and_speed(render: Render, find: Find) -> None:
    cpu = find(render("autoscale-cpu"), "HorizontalPodAutoscaler")["spec"]
    keda = find(render("autoscale-keda"), "ScaledObject")["spec"]
    assert cpu["behavior"] == keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert (cpu["minReplicas"], cpu["maxReplicas"]) == (keda["minReplicaCount"], keda["maxReplicaCount"])


def test_each_pod_has_a_gpu_and_does_not_start_without_it(render: Render, find: Find) -> None:
    objects = render("gpu")
    resources = _container(objects, find)["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"
    assert _variables(objects, find)["LECTERN_PROVIDERS"] == "cuda,cpu"


def test_openshift_chooses_the_user(render: Render, find: Find) -> None:
    context = _pod(render("openshift"), find)["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_prometheus_sends_the_key_of_the_metrics(render: Render, find: Find) -> None:
    objects = render("monitoring", "api-keys")
    (endpoint,) = find(objects, "ServiceMonitor")["spec"]["endpoints"]
    (entry,) = [entry for entry in _container(objects, find)["env"] if entry["name"] == "LECTERN_METRICS_KEY"]
    assert endpoint["authorization"]["credentials"] == entry["valueFrom"]["secretKeyRef"]
    labels = find(objects, "Service")["metadata"]["labels"]
    assert find(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_files_of_mounted_volumes_are_those_of_the_settings(render: Render, find: Find) -> None:
    objects = render("api-keys", "models-volume")
    mounts = {mount["name"]: mount for mount in _container(objects, find)["volumeMounts"]}
    variables = _variables(objects, find)
    assert variables["LECTERN_API_KEYS_FILE"].startswith(mounts["api-keys"]["mountPath"] + "/")
    assert variables["LECTERN_MODELS"] == mounts["models"]["mountPath"]
    assert {name for name, mount in mounts.items() if not mount.get("readOnly")} == {"tmp"}
    assert set(mounts) == {volume["name"] for volume in _pod(objects, find)["volumes"]}


def test_the_ingress_leaves_refusals_and_deadlines_to_the_server(render: Render, find: Find) -> None:
    objects = render("ingress")
    settings = Settings.from_environment(_variables(objects, find))
    notes = find(objects, "Ingress")["metadata"]["annotations"]
    size = notes["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert size.endswith("m")
    assert int(size.removesuffix("m")) << 20 >= settings.max_body_mb * 10**6
    times = [notes[f"nginx.ingress.kubernetes.io/proxy-{kind}-timeout"] for kind in ("read", "send")]
    times.append(notes["haproxy.org/timeout-server"].removesuffix("s"))
    assert all(settings.timeout_s < int(seconds) < settings.keep_alive_s for seconds in times)
    route = find(render("openshift"), "Route")
    assert (
        int(route["metadata"]["annotations"]["haproxy.router.openshift.io/timeout"].removesuffix("s"))
        > settings.timeout_s
    )
    ports = {port["name"] for port in find(objects, "Service")["spec"]["ports"]}
    (rule,) = find(objects, "Ingress")["spec"]["rules"]
    assert {path["backend"]["service"]["port"]["name"] for path in rule["http"]["paths"]} <= ports
    assert route["spec"]["port"]["targetPort"] in ports


def test_the_example_puts_everything_into_one_namespace(render: Render, find: Find) -> None:
    objects = render(overlay="example")
    namespace = find(objects, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [item["metadata"]["namespace"] for item in objects if item["kind"] != "Namespace"]
    assert set(others) == {"lectern"}
    assert ":" in _container(objects, find)["image"]
