"""Fixtures of the Kubernetes tests: manifests as kustomize renders them, and their objects by kind."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[4] / "service" / "deploy" / "kubernetes"

Objects = list[dict[str, Any]]


def _kustomize(folder: Path) -> str:
    if program := shutil.which("kubectl"):
        words = [program, "kustomize", str(folder)]
    elif program := shutil.which("kustomize"):
        words = [program, "build", str(folder)]
    else:
        pytest.skip("there is no kubectl and no kustomize")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def folder() -> Path:
    """The folder of the manifests."""
    return FOLDER


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Objects]:
    """Render the base with components, ``render("grpc")``, or an overlay, ``render(overlay="example")``."""

    def rendered(*components: str, overlay: str | None = None) -> Objects:
        if overlay:
            return list(yaml.safe_load_all(_kustomize(FOLDER / "overlays" / overlay)))
        place = tmp_path_factory.mktemp("overlay").resolve()
        document = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(FOLDER / "base", place)],
            "components": [os.path.relpath(FOLDER / "components" / name, place) for name in components],
        }
        (place / "kustomization.yaml").write_text(yaml.safe_dump(document))
        return list(yaml.safe_load_all(_kustomize(place)))

    return rendered


@pytest.fixture(scope="session")
def find() -> Callable[..., dict[str, Any]]:
    """Return the only object of a kind, and of a name where there are several."""

    def found(objects: Objects, kind: str, name: str = "lectern") -> dict[str, Any]:
        (one,) = [item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name)]
        return one

    return found
