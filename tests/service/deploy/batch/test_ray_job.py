"""The Ray job runs a command that exists, with the Ray that is pinned, and its pods agree with each other."""

import re
import shlex
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from service.batch.command import batch

ROOT = Path(__file__).resolve().parents[4]
JOB = yaml.safe_load((ROOT / "service" / "deploy" / "batch" / "ray-job.yaml").read_text())["spec"]
CLUSTER = JOB["rayClusterSpec"]
HEAD: dict[str, Any] = CLUSTER["headGroupSpec"]
(WORKERS,) = CLUSTER["workerGroupSpecs"]
PODS = [HEAD["template"]["spec"], WORKERS["template"]["spec"]]


def test_the_command_exists_and_goes_on_after_a_restart() -> None:
    program, name, *words = shlex.split(JOB["entrypoint"])
    assert (program, name) == ("lectern", "batch")
    context = batch.make_context("batch", words)
    assert (context.params["engine"], context.params["address"], context.params["resume"]) == (
        "ray",
        "auto",
        True,
    )
    out = str(context.params["out"])
    assert all(
        any(out.startswith(mount["mountPath"]) for mount in _container(pod)["volumeMounts"]) for pod in PODS
    )


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    result: dict[str, Any] = container
    return result


def test_ray_has_the_pinned_version() -> None:
    (pinned,) = re.findall(r"^ray==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert CLUSTER["rayVersion"] == pinned


def test_all_pods_have_the_same_image_volumes_and_rights() -> None:
    head, workers = ({**pod, "containers": None} for pod in PODS)
    assert head == workers
    for key in ("image", "env", "volumeMounts", "securityContext"):
        assert _container(PODS[0])[key] == _container(PODS[1])[key]


def test_actors_have_a_core_each_and_the_head_runs_none() -> None:
    cores = WORKERS["replicas"] * int(WORKERS["rayStartParams"]["num-cpus"])
    context = batch.make_context("batch", shlex.split(JOB["entrypoint"])[2:])
    assert context.params["workers"] == cores
    assert HEAD["rayStartParams"]["num-cpus"] == "0"
    assert _container(PODS[1])["resources"]["requests"]["cpu"] == WORKERS["rayStartParams"]["num-cpus"]


def test_the_pods_are_valid() -> None:
    for number, pod in enumerate(PODS):
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{number}"}, "spec": pod}
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
