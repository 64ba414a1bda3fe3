"""Tests that the same pinned packages are installed, tested and served."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
DEV = [text for text in GROUPS["dev"] if isinstance(text, str)] + GROUPS["bench"]


HASHED = tuple(f"service/deploy/requirements{name}.txt" for name in ("", "-build", "-gpu"))
# Packages of this extra cannot be installed beside the others.
GPU = "serve-gpu"


def lines(file: str) -> list[str]:
    """Return the requirements in a file, each with its hashes on one line, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pins(file: str) -> dict[str, str]:
    """Return the pinned version of each package in a requirements file, on this Python."""
    found = {}
    for requirement in (Requirement(line.partition(" --hash=")[0]) for line in lines(file)):
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{file} does not pin {requirement}"
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = specifier.version
    return found


def with_dependencies(requirements: list[str]) -> set[str]:
    """Return the names of the required packages and of all their dependencies, on this Python."""
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    todo = [(Requirement(text), "") for text in requirements]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        names.add(name)
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                required = importlib.metadata.requires(name) or []
                todo += [(Requirement(text), wanted) for text in required]
    return names


@pytest.mark.parametrize("extra", ["", *(extra for extra in EXTRAS if extra != GPU), "dev"])
def test_installed_versions_are_pinned(extra: str) -> None:
    requirements = PROJECT["project"]["dependencies"]
    requirements = requirements + (DEV if extra == "dev" else EXTRAS.get(extra, []))
    installed = {name: importlib.metadata.version(name) for name in with_dependencies(requirements)}
    pinned = pins("constraints.txt")
    assert installed == {name: pinned.get(name, "no pin") for name in installed}


def test_every_installation_reads_the_photos_of_phones() -> None:
    names = {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]}
    assert {"pillow", "pillow-heif"} <= names


def test_the_container_installs_only_what_serving_needs() -> None:
    expected = with_dependencies(PROJECT["project"]["dependencies"] + EXTRAS["serve"] + EXTRAS["tracing"])
    pinned = pins("constraints.txt")
    served = pins("service/deploy/requirements.txt")
    assert served == {name: pinned[name] for name in expected}, (
        "service/deploy/requirements.txt is out of date; its first lines show the command that updates it"
    )


def test_the_image_for_gpus_has_the_same_release_of_onnx_runtime() -> None:
    pinned, added = pins("constraints.txt"), pins("service/deploy/requirements-gpu.txt")
    assert added == {name: pinned[name] for name in added}
    assert added["onnxruntime-gpu"] == pinned["onnxruntime"]
    assert {"nvidia-cublas", "nvidia-cuda-runtime", "nvidia-cudnn-cu13", "nvidia-cufft"} <= set(added)


@pytest.mark.parametrize("file", HASHED)
def test_every_package_of_the_container_has_hashes(file: str) -> None:
    for line in lines(file):
        name, *hashes = line.split(" --hash=")
        assert hashes, f"{file} has no hash for {name}; its first lines show the command that updates it"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value.strip()) for value in hashes), name


def test_the_packages_that_build_the_container_are_pinned() -> None:
    pinned, build = pins("constraints.txt"), pins("service/deploy/requirements-build.txt")
    wanted = {canonicalize_name(Requirement(text).name) for text in GROUPS["image"]}
    assert wanted <= set(build)
    assert build == {name: pinned.get(name, "no pin") for name in build}


def test_the_wheel_and_the_container_are_built_by_the_same_backend() -> None:
    assert PROJECT["build-system"]["requires"] == [f"hatchling=={pins('constraints.txt')['hatchling']}"]
