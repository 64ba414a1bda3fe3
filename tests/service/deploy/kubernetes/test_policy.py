"""Checkov finds no fault in the rendered manifests but those that are waived here with their reason.

Its packages conflict with those of the tests, so that it has an environment of its own: tests/README.md.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

WAIVED = {
    "CKV_K8S_11": "a CPU limit throttles requests while the node has idle cores",
    "CKV_K8S_14": "the base names no image; the overlay does",
    "CKV_K8S_15": "the tag of a release does not move, so that a node need not pull it again",
    "CKV_K8S_35": "LECTERN_METRICS_KEY has no form that reads a file",
    "CKV_K8S_40": "OpenShift chooses the user ID",
    "CKV_K8S_43": "the registry, and with it the digest, is the operator's",
}


def _violations(objects: list[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Return the rules that are violated, with what violates them."""
    for item in objects:
        item["metadata"].setdefault("namespace", "lectern")
    file = folder / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    words = ["checkov", "--file", str(file), "--framework", "kubernetes", "--output", "json", "--compact"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    results = json.loads(done.stdout)["results"]
    assert results["passed_checks"]
    return {
        fault["check_id"]: f"{fault['check_name']}: {fault['resource']}" for fault in results["failed_checks"]
    }


def test_the_only_policies_that_are_violated_are_waived(
    render: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    if shutil.which("checkov") is None:
        pytest.skip("there is no checkov; tests/README.md says how to install it")
    found = _violations(render(overlay="example"), tmp_path)
    found |= _violations(render("grpc", "models-volume", "autoscale-keda", "openshift"), tmp_path)
    assert {rule: text for rule, text in found.items() if rule not in WAIVED} == {}
    assert set(WAIVED) <= set(found)
